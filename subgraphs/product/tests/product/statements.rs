//! No N+1: the statements a request needs, counted by what sqlx logs.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use fondaco_chassis::{Caller, testing::service};
use fondaco_product::ProductConfig;
use serde_json::{Value, json};
use tracing_subscriber::{Layer, layer::Context, layer::SubscriberExt};

use crate::Shop;

#[derive(Clone, Default)]
struct Statements(Arc<AtomicUsize>);

impl<S: tracing::Subscriber> Layer<S> for Statements {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "sqlx::query" {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

pub async fn count(shop: &Shop, caller: &Caller, query: &str, variables: Value) -> (usize, Value) {
    let statements = Statements::default();
    let subscriber = tracing_subscriber::registry().with(statements.clone());
    // The test's runtime has one thread: everything of the request is seen.
    let guard = tracing::subscriber::set_default(subscriber);
    let answer = shop.ask(caller, query, variables).await;
    std::mem::drop(guard);
    assert_eq!(answer.get("errors"), None, "{answer}");
    (statements.0.load(Ordering::Relaxed), answer["data"].clone())
}

/// A shop that keeps nothing, so that every reading is a statement.
async fn forgetful() -> Shop {
    let config = ProductConfig {
        demo: true,
        keep_seconds: 0,
        ..ProductConfig::default()
    };
    Shop::open_with(config).await
}

#[tokio::test]
async fn a_request_takes_one_statement_a_kind() {
    let shop = forgetful().await;
    let home = r#"{ products(first: 12, search: "coat") {
        edges { node { id name slug variants { sku price { amount currency } } } } } }"#;
    let (statements, data) = count(&shop, &Caller::Anonymous, home, json!({})).await;
    assert_eq!(statements, 2, "the products and their variants");
    let edges = data["products"]["edges"].as_array().unwrap();
    assert_eq!(edges.len(), 12);
    assert!(
        edges
            .iter()
            .all(|edge| !edge["node"]["variants"].as_array().unwrap().is_empty())
    );

    let back =
        "{ products(first: 20) { edges { node { variants { product { name variants { sku } } } } } } }";
    let (statements, _) = count(&shop, &Caller::Anonymous, back, json!({})).await;
    assert_eq!(
        statements, 4,
        "products, variants, products by id, variants again"
    );

    let slugs = ["skagen-raincoat", "harbour-pea-coat", "none", "Not A Slug"];
    let by_slug = slugs.map(|slug| json!({ "__typename": "Product", "slug": slug }));
    let skus = ["SKAGEN-S-NAVY", "HARBOUR-M", "NONE", "not a sku"];
    let by_sku = skus.map(|sku| json!({ "__typename": "ProductVariant", "sku": sku }));
    let representations: Vec<_> = by_slug.into_iter().chain(by_sku).collect();
    let entities = "query($representations: [_Any!]!) { _entities(representations: $representations) {
        ... on Product { name } ... on ProductVariant { sku product { name } } } }";
    let variables = json!({ "representations": representations });
    let (statements, data) = count(&shop, &Caller::Anonymous, entities, variables).await;
    assert_eq!(
        statements, 3,
        "products by slug, variants by SKU, their products by id"
    );
    let expected = json!([
        { "name": "Skagen Raincoat" }, { "name": "Harbour Pea Coat" }, null, null,
        { "sku": "SKAGEN-S-NAVY", "product": { "name": "Skagen Raincoat" } },
        { "sku": "HARBOUR-M", "product": { "name": "Harbour Pea Coat" } }, null, null,
    ]);
    assert_eq!(data["_entities"], expected);
}

#[tokio::test]
async fn services_learn_what_is_for_sale_in_one_statement() {
    let shop = forgetful().await;
    let query = r#"{ purchasableVariants(skus: ["EDITION01-S", "NONE", "VALE-30", "VALE-30", "{}"]) {
        sku name price { amount currency } drop { perCustomerLimit } active } }"#;
    let (statements, data) = count(&shop, &service("order"), query, json!({})).await;
    assert_eq!(statements, 1);
    let chinos = json!({ "sku": "VALE-30", "name": "Vale Chinos, 30", "price": { "amount": 7900, "currency": "EUR" },
        "drop": null, "active": true });
    let edition = json!({ "sku": "EDITION01-S", "name": "Edition 01 Trench Coat, S",
        "price": { "amount": 49900, "currency": "EUR" }, "drop": { "perCustomerLimit": 2 }, "active": true });
    assert_eq!(
        data["purchasableVariants"],
        json!([edition, null, chinos, chinos, null])
    );
    assert_eq!(shop.error_code(&Caller::Anonymous, query).await, "FORBIDDEN");
}
