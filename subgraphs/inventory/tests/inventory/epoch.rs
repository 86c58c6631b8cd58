//! Redis loses what it was told: sales close, the counters are rebuilt with every open hold, sales reopen, and nothing is sold twice.

use std::time::{Duration, Instant};

use fondaco_chassis::testing::{RedisServer, TestRuntime};
use fondaco_contracts::OrderId;
use sqlx::{Connection, PgConnection};
use tokio::time::sleep;

use crate::Warehouse;

/// As the platform promises it; a program that is not optimised takes longer.
const REBUILT_WITHIN: Duration = Duration::from_secs(if cfg!(debug_assertions) { 20 } else { 5 });

async fn on(redis: &RedisServer) -> Warehouse {
    let mut test = TestRuntime::new();
    test.runtime.redis_url = redis.url();
    Warehouse::open_on(test).await
}

#[tokio::test]
async fn a_flush_closes_sales_until_stock_is_rebuilt() {
    let redis = RedisServer::start().await;
    let warehouse = on(&redis).await;
    sells_out(&warehouse, async || redis.flush().await).await;
}

#[tokio::test]
async fn so_does_the_end_of_the_process() {
    let mut redis = RedisServer::start().await;
    let warehouse = on(&redis).await;
    sells_out(&warehouse, async || {
        redis.kill();
        redis.start_again(true).await;
    })
    .await;
}

#[tokio::test]
async fn so_does_an_old_snapshot() {
    let mut redis = RedisServer::start().await;
    let warehouse = on(&redis).await;
    warehouse.stocked("A", 10).await;
    let snapshot = redis.snapshot().await.unwrap();
    let sold = OrderId::new();
    warehouse.reserve(sold, &[("A", 8)]).await;
    warehouse.settle("confirmStock", sold).await;
    let before = epoch(&warehouse).await;
    redis.restore(&snapshot).await.unwrap();
    reopens(&warehouse, &before).await;
    assert_eq!(warehouse.books("A").await, [2, 10, 8, 0, 2]);
    sells_out(&warehouse, async || {
        redis.restore(&snapshot).await.unwrap();
    })
    .await;
}

/// The same process and the same mark, but of an earlier time: as when a replica takes another one's data over.
#[tokio::test]
async fn so_does_a_mark_that_went_back() {
    let redis = RedisServer::start().await;
    let warehouse = on(&redis).await;
    warehouse.stocked("A", 10).await;
    let before = epoch(&warehouse).await;
    let mark = format!("{}stock:epoch", warehouse.runtime.runtime.redis_prefix);
    sleep(Duration::from_millis(700)).await;
    redis::cmd("HSET")
        .arg(mark)
        .arg(&["asked", "1"])
        .query_async::<()>(&mut redis.connection().await)
        .await
        .unwrap();
    reopens(&warehouse, &before).await;
    assert_eq!(warehouse.books("A").await, [10, 10, 0, 0, 10]);
}

#[tokio::test]
async fn while_redis_is_away_nothing_is_sold_and_browsing_goes_on() {
    let mut redis = RedisServer::start().await;
    let warehouse = on(&redis).await;
    warehouse.stocked("A", 10).await;
    redis.kill();
    sleep(Duration::from_millis(500)).await;
    let asked = Instant::now();
    let outcome = try_reserve(&warehouse, OrderId::new()).await;
    assert!(
        matches!(outcome.as_str(), "NOT_READY" | "TEMPORARILY_UNAVAILABLE"),
        "{outcome}"
    );
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    assert_eq!(warehouse.books("A").await, [10, 10, 0, 0, 10]);
    redis.start_again(false).await;
    warehouse.settles_to("A", [10, 10, 0, 0, 10]).await;
}

/// Two instances: one rebuilds, the other follows.
#[tokio::test]
async fn instances_agree_on_the_new_epoch() {
    let redis = RedisServer::start().await;
    let warehouse = on(&redis).await;
    let config = fondaco_inventory::InventoryConfig::default();
    let second = fondaco_inventory::start(&config, &warehouse.runtime.runtime)
        .await
        .unwrap();
    warehouse.stocked("A", 10).await;
    let before = epoch(&warehouse).await;
    redis.flush().await;
    reopens(&warehouse, &before).await;
    sleep(Duration::from_millis(600)).await;
    let now = epoch(&warehouse).await;
    sleep(Duration::from_millis(600)).await;
    assert_eq!(epoch(&warehouse).await, now, "one rebuilding is enough");
    assert_eq!(
        warehouse.reserve(OrderId::new(), &[("A", 1)]).await["outcome"],
        "RESERVED"
    );
    assert_eq!(
        warehouse.keys("A").await.len(),
        3,
        "one epoch's counter, holds and deadlines"
    );
    drop(second);
}

#[tokio::test]
async fn a_hundred_thousand_holds_are_rebuilt_in_time() {
    const HOLDS: i64 = 100_000;
    let redis = RedisServer::start().await;
    let warehouse = on(&redis).await;
    warehouse.stocked("A", 200_000).await;
    let mut database = database(&warehouse).await;
    for statement in [
        "insert into reservation (id, customer_id, parameters, status, expires_at)
         select gen_random_uuid(), gen_random_uuid(), repeat('0', 32), 'HELD', now() + interval '1 hour' from generate_series(1, 100000)",
        "insert into reservation_line (reservation_id, sku, quantity) select id, 'A', 1 from reservation",
        "update stock set held = 100000 where sku = 'A'",
        "analyze",
    ] {
        sqlx::raw_sql(statement).execute(&mut database).await.unwrap();
    }
    let before = epoch(&warehouse).await;
    let lost = Instant::now();
    redis.flush().await;
    reopens(&warehouse, &before).await;
    let took = lost.elapsed();
    assert_eq!(warehouse.books("A").await, [100_000, 200_000, 0, HOLDS, 100_000]);
    println!("{HOLDS} holds were rebuilt {took:?} after they were lost");
    assert!(took < REBUILT_WITHIN, "{took:?}");
}

/// Buyers go on pressing while Redis loses everything; in the end exactly what there was is held, and the stores agree.
async fn sells_out(warehouse: &Warehouse, mut lose: impl AsyncFnMut()) {
    const UNITS: usize = 60;
    warehouse.stocked("RUSH", UNITS as i64).await;
    for _ in 0..UNITS / 3 {
        assert_eq!(try_reserve_of(warehouse, "RUSH").await, "RESERVED");
    }
    let before = epoch(warehouse).await;
    lose().await;
    let mut held = UNITS / 3;
    let lost = Instant::now();
    loop {
        let outcomes = futures::future::join_all((0..8).map(|_| try_reserve_of(warehouse, "RUSH"))).await;
        held += outcomes.iter().filter(|outcome| *outcome == "RESERVED").count();
        assert!(held <= UNITS, "oversold");
        if outcomes.iter().all(|outcome| outcome == "SOLD_OUT") && epoch(warehouse).await != before {
            break;
        }
        let known = ["RESERVED", "SOLD_OUT", "NOT_READY", "TEMPORARILY_UNAVAILABLE"];
        assert!(
            outcomes.iter().all(|outcome| known.contains(&outcome.as_str())),
            "{outcomes:?}"
        );
        assert!(lost.elapsed() < REBUILT_WITHIN * 4, "{held} held, {outcomes:?}");
        sleep(Duration::from_millis(20)).await;
    }
    let units = UNITS as i64;
    let [available, total, sold, in_postgres, in_redis] = warehouse.books("RUSH").await;
    assert_eq!(
        [available, total, sold, in_postgres, in_redis],
        [0, units, 0, units, 0]
    );
    // A reply may have been lost, a unit may not.
    assert!(held <= UNITS && held + 8 >= UNITS, "{held}");
}

async fn try_reserve(warehouse: &Warehouse, order: OrderId) -> String {
    reserve(warehouse, order, "A").await
}

async fn try_reserve_of(warehouse: &Warehouse, sku: &str) -> String {
    reserve(warehouse, OrderId::new(), sku).await
}

async fn reserve(warehouse: &Warehouse, order: OrderId, sku: &str) -> String {
    let query = "mutation($input: ReserveStockInput!) { reserveStock(inputs: [$input]) { outcome } }";
    let input = serde_json::json!({
        "reservationId": order, "customerId": order, "ttlSeconds": 600, "lines": [{ "sku": sku, "quantity": 1 }],
    });
    let answer = warehouse
        .ask(
            &fondaco_chassis::testing::service("order"),
            query,
            serde_json::json!({ "input": input }),
        )
        .await;
    let outcome = &answer["data"]["reserveStock"][0]["outcome"];
    let code = &answer["errors"][0]["extensions"]["code"];
    outcome
        .as_str()
        .or(code.as_str())
        .unwrap_or_else(|| panic!("{answer}"))
        .to_owned()
}

/// Waits for another epoch whose sales are open.
async fn reopens(warehouse: &Warehouse, before: &str) {
    let lost = Instant::now();
    warehouse_waits(warehouse, before, lost).await;
    while try_reserve_of(warehouse, "PROBE").await != "UNKNOWN_SKU" {
        assert!(lost.elapsed() < REBUILT_WITHIN * 2, "sales stay closed");
        sleep(Duration::from_millis(20)).await;
    }
}

async fn warehouse_waits(warehouse: &Warehouse, before: &str, lost: Instant) {
    while epoch(warehouse).await == before {
        assert!(lost.elapsed() < REBUILT_WITHIN * 2, "nobody noticed");
        sleep(Duration::from_millis(20)).await;
    }
}

async fn epoch(warehouse: &Warehouse) -> String {
    sqlx::query_scalar("select epoch::text from epoch")
        .fetch_one(&mut database(warehouse).await)
        .await
        .unwrap()
}

async fn database(warehouse: &Warehouse) -> PgConnection {
    let runtime = &warehouse.runtime.runtime;
    let server = runtime.database_url.trim_end_matches('/');
    let url = format!("{server}/{}inventory", runtime.database_prefix);
    PgConnection::connect(&url).await.unwrap()
}
