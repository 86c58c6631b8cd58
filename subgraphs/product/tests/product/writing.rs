//! Creating and changing products.

use fondaco_chassis::{
    Caller,
    testing::{customer, merchant},
};
use fondaco_contracts::UserId;
use serde_json::{Value, json};

use crate::Shop;

const CREATE: &str = "mutation($input: CreateProductInput!) { createProduct(input: $input) {
    product { id slug status variants { sku name price { amount } drop { perCustomerLimit } } }
    userErrors { code field } } }";
const UPDATE: &str = "mutation($input: UpdateProductInput!) { updateProduct(input: $input) {
    product { id slug name status variants { sku price { amount } } }
    userErrors { code field } } }";

fn coat() -> Value {
    json!({ "name": "Test Coat", "category": "Coats", "variants": [variant("TEST-S", 100), variant("TEST-M", 200)] })
}

fn variant(sku: &str, amount: i64) -> Value {
    json!({ "sku": sku, "name": "S", "price": { "amount": amount, "currency": "EUR" } })
}

async fn write(shop: &Shop, mutation: &str, input: Value) -> Value {
    let answer = shop
        .ask(&merchant(UserId::new()), mutation, json!({ "input": input }))
        .await;
    assert_eq!(answer.get("errors"), None, "{answer}");
    answer["data"]
        .as_object()
        .unwrap()
        .values()
        .next()
        .unwrap()
        .clone()
}

#[tokio::test]
async fn a_product_is_created_and_changed() {
    let shop = Shop::open().await;
    let created = write(&shop, CREATE, coat()).await;
    assert_eq!(created["userErrors"], json!([]));
    assert_eq!(created["product"]["slug"], "test-coat");
    assert_eq!(created["product"]["variants"][1]["sku"], "TEST-M");

    let id = created["product"]["id"].clone();
    let drop = json!({ "startsAt": "2030-01-01T00:00:00Z", "perCustomerLimit": 3 });
    let mut changed = variant("TEST-S", 150);
    changed["drop"] = drop;
    let input = json!({ "id": id, "name": "Better Coat", "status": "ARCHIVED", "variants": [variant("TEST-L", 50), changed] });
    let updated = write(&shop, UPDATE, input).await;
    let variants: Vec<_> = updated["product"]["variants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v["price"]["amount"].clone())
        .collect();
    assert_eq!(variants, [150, 200, 50], "{updated}");
    assert_eq!(updated["product"]["name"], "Better Coat");
    assert_eq!(updated["product"]["slug"], "test-coat");

    let listed = shop
        .data("{ products(search: \"better coat\") { edges { node { name } } } }")
        .await;
    assert_eq!(
        listed["products"]["edges"],
        json!([]),
        "archived products are not listed"
    );
    let shown = shop.data("{ product(slug: \"test-coat\") { name } }").await;
    assert_eq!(
        shown["product"]["name"], "Better Coat",
        "but past orders still show them"
    );
}

#[tokio::test]
async fn drafts_are_for_merchants() {
    let shop = Shop::open().await;
    let mut input = coat();
    input["status"] = json!("DRAFT");
    write(&shop, CREATE, input).await;
    let query = "{ product(slug: \"test-coat\") { name } }";
    assert_eq!(shop.data(query).await["product"], Value::Null);
    let answer = shop.ask(&merchant(UserId::new()), query, json!({})).await;
    assert_eq!(answer["data"]["product"]["name"], "Test Coat");
}

#[tokio::test]
async fn what_can_be_put_right_is_a_user_error() {
    let shop = Shop::open().await;
    let created = write(&shop, CREATE, coat()).await;
    let id = &created["product"]["id"];
    let check = async |mutation: &str, input: Value, code: &str, field: &str| {
        let payload = write(&shop, mutation, input).await;
        assert_eq!(payload["product"], Value::Null);
        assert_eq!(payload["userErrors"], json!([{ "code": code, "field": field }]));
    };
    check(CREATE, coat(), "SLUG_TAKEN", "slug").await;
    let foreign = json!({ "name": "Other", "category": "Coats", "variants": [variant("OTHER-S", 1), variant("TEST-S", 1)] });
    check(CREATE, foreign, "INVALID_INPUT", "variants.1.sku").await;
    let empty = json!({ "name": "Other", "category": "Coats", "variants": [] });
    check(CREATE, empty, "INVALID_INPUT", "variants").await;
    check(
        UPDATE,
        json!({ "id": id, "slug": "skagen-raincoat" }),
        "SLUG_TAKEN",
        "slug",
    )
    .await;
    check(
        UPDATE,
        json!({ "id": id, "slug": "No Slug" }),
        "INVALID_INPUT",
        "slug",
    )
    .await;
    let mut dollars = variant("TEST-XL", 1);
    dollars["price"]["currency"] = json!("USD");
    check(
        UPDATE,
        json!({ "id": id, "variants": [dollars] }),
        "INVALID_INPUT",
        "variants",
    )
    .await;
    check(UPDATE, json!({ "id": "none", "name": "x" }), "NOT_FOUND", "id").await;
    check(
        UPDATE,
        json!({ "id": UserId::new().to_string(), "name": "x" }),
        "NOT_FOUND",
        "id",
    )
    .await;

    let untouched = shop.data("{ product(slug: \"other\") { name } }").await;
    assert_eq!(
        untouched["product"],
        Value::Null,
        "a refused product leaves nothing behind"
    );
}

#[tokio::test]
async fn only_merchants_write() {
    let shop = Shop::open().await;
    for (caller, code) in [
        (Caller::Anonymous, "UNAUTHENTICATED"),
        (customer(UserId::new()), "FORBIDDEN"),
    ] {
        let answer = shop.ask(&caller, CREATE, json!({ "input": coat() })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{answer}");
    }
}
