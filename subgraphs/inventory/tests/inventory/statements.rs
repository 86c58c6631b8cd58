//! No N+1: availability of many variants is one lookup in Redis and no statement in Postgres.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use fondaco_chassis::Caller;
use redis::AsyncCommands;
use serde_json::{Value, json};
use tracing_subscriber::{Layer, layer::Context, layer::SubscriberExt};

use crate::Warehouse;

#[derive(Clone, Default)]
struct Statements(Arc<AtomicUsize>);

impl<S: tracing::Subscriber> Layer<S> for Statements {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let is_reading = format!("{:?}", Fields::of(event)).contains("FROM stock");
        if event.metadata().target() == "sqlx::query" && is_reading {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The text of an event's fields.
#[derive(Debug, Default)]
struct Fields(String);

impl Fields {
    fn of(event: &tracing::Event<'_>) -> Self {
        let mut fields = Self::default();
        event.record(&mut fields);
        fields
    }
}

impl tracing::field::Visit for Fields {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        self.0.push_str(&format!("{field}={value:?} "));
    }
}

async fn availability(warehouse: &Warehouse, skus: &[String]) -> (usize, Value) {
    let query = "query($entities: [_Any!]!) { _entities(representations: $entities) {
        ... on ProductVariant { sku availability { available inStock } } } }";
    let entities: Vec<_> = skus
        .iter()
        .map(|sku| json!({ "__typename": "ProductVariant", "sku": sku }))
        .collect();
    let statements = Statements::default();
    let subscriber = tracing_subscriber::registry().with(statements.clone());
    // The test's runtime has one thread: everything of the request is seen.
    let guard = tracing::subscriber::set_default(subscriber);
    let data = warehouse
        .data(&Caller::Anonymous, query, json!({ "entities": entities }))
        .await;
    drop(guard);
    (statements.0.load(Ordering::Relaxed), data["_entities"].clone())
}

#[tokio::test]
async fn availability_is_one_lookup() {
    let warehouse = Warehouse::open().await;
    let mut skus: Vec<String> = (0..30).map(|n| format!("S{n}")).collect();
    for sku in &skus {
        warehouse.stocked(sku, 7).await;
    }
    let in_stock = |sku: &String| json!({ "sku": sku, "availability": { "available": 7, "inStock": true } });
    let expected: Vec<_> = skus.iter().map(in_stock).collect();
    assert_eq!(availability(&warehouse, &skus).await, (0, json!(expected)));

    for sku in &skus {
        let keys = warehouse.keys(sku).await;
        let _: () = warehouse.redis().await.del(keys).await.unwrap();
    }
    let (statements, found) = availability(&warehouse, &skus).await;
    assert_eq!(found, json!(expected));
    assert_eq!(statements, 1, "what Redis has lost is read at once");
    assert_eq!(availability(&warehouse, &skus).await.0, 0);

    skus = vec!["UNKNOWN".to_owned()];
    let unknown = json!([{ "sku": "UNKNOWN", "availability": { "available": 0, "inStock": false } }]);
    assert_eq!(availability(&warehouse, &skus).await.1, unknown);
}
