//! The inventory service in process, against a real Postgres and a real Redis.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

mod adjusting;
mod epoch;
mod limits;
mod reserving;
mod settling;
mod statements;

use chrono::Utc;
use fondaco_chassis::testing::TestRuntime;
use fondaco_chassis::{Caller, Service, testing};
use fondaco_contracts::{OrderId, UserId};
use fondaco_inventory::InventoryConfig;
use redis::AsyncCommands;
use serde_json::{Value, json};

/// The service, with stores of its own.
struct Warehouse {
    runtime: TestRuntime,
    service: Service,
}

impl Warehouse {
    async fn open() -> Self {
        Self::open_on(TestRuntime::new()).await
    }

    async fn open_on(runtime: TestRuntime) -> Self {
        let config = InventoryConfig {
            reaper_interval_ms: 50,
            ..InventoryConfig::default()
        };
        let service = fondaco_inventory::start(&config, &runtime.runtime).await.unwrap();
        Self { runtime, service }
    }

    async fn ask(&self, caller: &Caller, query: &str, variables: Value) -> Value {
        self.runtime
            .call(&self.service.router, "inventory", caller, query, variables)
            .await
    }

    async fn data(&self, caller: &Caller, query: &str, variables: Value) -> Value {
        let answer = self.ask(caller, query, variables).await;
        assert_eq!(answer.get("errors"), None, "{query}: {answer}");
        answer["data"].clone()
    }

    async fn adjust(&self, sku: &str, delta: i64, key: &str) -> Value {
        let query = "mutation($input: AdjustStockInput!) { adjustStock(input: $input) {
            stock { sku available total sold held } userErrors { code field } } }";
        let input = json!({ "sku": sku, "delta": delta, "reason": "counted", "idempotencyKey": key });
        self.data(&merchant(), query, json!({ "input": input })).await["adjustStock"].clone()
    }

    async fn stocked(&self, sku: &str, units: i64) {
        let payload = self.adjust(sku, units, &UserId::new().to_string()).await;
        assert_eq!(payload["userErrors"], json!([]));
    }

    async fn reserve(&self, order: OrderId, lines: &[(&str, i32)]) -> Value {
        self.reserve_for(order, lines, 60).await
    }

    async fn reserve_for(&self, order: OrderId, lines: &[(&str, i32)], ttl: i32) -> Value {
        let query = "mutation($input: ReserveStockInput!) { reserveStock(inputs: [$input]) {
            outcome sku available expiresAt } }";
        let lines: Vec<_> = lines
            .iter()
            .map(|(sku, quantity)| json!({ "sku": sku, "quantity": quantity }))
            .collect();
        let input = json!({ "reservationId": order, "customerId": customer_of(order), "lines": lines, "ttlSeconds": ttl });
        self.data(&testing::service("order"), query, json!({ "input": input }))
            .await["reserveStock"][0]
            .clone()
    }

    /// `confirmStock` or `releaseStock`.
    async fn settle(&self, field: &str, order: OrderId) -> Value {
        let query = format!("mutation($id: ID!) {{ {field}(reservationId: $id) {{ status }} }}");
        self.data(&testing::service("order"), &query, json!({ "id": order }))
            .await[field]["status"]
            .clone()
    }

    /// `[available, total, sold, held]` in Postgres and what Redis says is available.
    async fn books(&self, sku: &str) -> [i64; 5] {
        let query = "query($skus: [ID!]!, $entities: [_Any!]!) {
            stock(skus: $skus) { available total sold held }
            _entities(representations: $entities) { ... on ProductVariant { availability { available } } } }";
        let entities = json!([{ "__typename": "ProductVariant", "sku": sku }]);
        let data = self
            .data(&merchant(), query, json!({ "skus": [sku], "entities": entities }))
            .await;
        let stock = &data["stock"][0];
        let figure = |value: &Value| value.as_i64().unwrap();
        let redis = figure(&data["_entities"][0]["availability"]["available"]);
        [
            figure(&stock["available"]),
            figure(&stock["total"]),
            figure(&stock["sold"]),
            figure(&stock["held"]),
            redis,
        ]
    }

    /// Waits until the books of `sku` are as expected: what happens in the background takes its time.
    async fn settles_to(&self, sku: &str, expected: [i64; 5]) {
        let deadline = Utc::now() + chrono::Duration::seconds(5);
        while self.books(sku).await != expected {
            assert!(
                Utc::now() < deadline,
                "{sku}: {:?}, not {expected:?}",
                self.books(sku).await
            );
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    async fn redis(&self) -> redis::aio::MultiplexedConnection {
        let client = redis::Client::open(self.runtime.runtime.redis_url.as_str()).unwrap();
        client.get_multiplexed_async_connection().await.unwrap()
    }

    /// The Redis keys of a SKU.
    async fn keys(&self, sku: &str) -> Vec<String> {
        let pattern = format!("{}stock:*{{{sku}}}", self.runtime.runtime.redis_prefix);
        self.redis().await.keys(pattern).await.unwrap()
    }
}

fn merchant() -> Caller {
    testing::merchant(UserId::new())
}

/// The same customer for the same order.
fn customer_of(order: OrderId) -> UserId {
    order.as_uuid().into()
}

#[test]
fn the_inbox_is_the_one_that_consumers_write() {
    assert_eq!(
        include_str!("../../migrations/0002_inbox.sql"),
        fondaco_messaging::inbox::DDL
    );
}

#[tokio::test]
async fn the_demo_stock_is_loaded_once() {
    let warehouse = Warehouse::open().await;
    let config = InventoryConfig {
        demo: true,
        ..InventoryConfig::default()
    };
    fondaco_inventory::start(&config, &warehouse.runtime.runtime)
        .await
        .unwrap();
    assert_eq!(warehouse.books("EDITION01-M").await, [100, 100, 0, 0, 100]);
    assert_eq!(
        warehouse.reserve(OrderId::new(), &[("EDITION01-M", 2)]).await["outcome"],
        "RESERVED"
    );
    fondaco_inventory::start(&config, &warehouse.runtime.runtime)
        .await
        .unwrap();
    assert_eq!(warehouse.books("EDITION01-M").await, [98, 100, 0, 2, 98]);
}

#[test]
fn the_outbox_is_the_one_the_relay_reads() {
    assert_eq!(
        include_str!("../../migrations/0012_outbox.sql"),
        fondaco_messaging::outbox::DDL
    );
}

#[test]
fn parked_events_and_progress_are_kept_as_messaging_does() {
    assert_eq!(
        include_str!("../../migrations/0014_dead_letters.sql"),
        fondaco_messaging::dead_letter::DDL
    );
    assert_eq!(
        include_str!("../../migrations/0015_outbox_progress.sql"),
        fondaco_messaging::outbox::PROGRESS_DDL
    );
}
