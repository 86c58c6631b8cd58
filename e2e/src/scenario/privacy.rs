//! Nobody sees the orders of others, or changes what they may not.

use serde_json::{Value, json};

use crate::platform::Platform;
use crate::shop;

const ORDER: &str = "query Order($id: ID!) { order(id: $id) { id status payment { status } } }";

/// Tells the story.
pub async fn run(platform: &Platform) {
    let client = platform.client();
    let (owner, stranger) = (shop::sign_up(&client).await, shop::sign_up(&client).await);
    let merchant = shop::merchant(&client).await;
    let variants = shop::variants(&client).await;
    let variant = variants.iter().filter(|variant| !variant.drop).nth(2).unwrap();
    shop::set_stock(&merchant, variant, 5).await;
    let answer = shop::buy_one(&owner, &variant.sku).await;
    let id = &answer.expect_data()["purchase"]["order"]["id"];

    let own = owner.client.query(ORDER, json!({ "id": id })).await.unwrap();
    assert_eq!(own.expect_data()["order"]["status"], "CONFIRMED");
    let foreign = stranger.client.query(ORDER, json!({ "id": id })).await.unwrap();
    assert_eq!(foreign.data()["order"], Value::Null, "{}", foreign.body);
    let signed_out = client.query(ORDER, json!({ "id": id })).await.unwrap();
    assert_eq!(signed_out.data()["order"], Value::Null, "{}", signed_out.body);
    assert!(!signed_out.errors().is_empty(), "signed out: {}", signed_out.body);

    let cancel =
        "mutation Cancel($input: CancelOrderInput!) { cancelOrder(input: $input) { userErrors { code } } }";
    let input = json!({ "input": { "orderId": id, "idempotencyKey": "theft" } });
    let cancelled = stranger.client.query(cancel, input).await.unwrap();
    assert_eq!(
        shop::user_error(&cancelled, "cancelOrder"),
        "ORDER_NOT_FOUND",
        "{}",
        cancelled.body
    );
    customers_are_no_merchants(&stranger, &variant.sku).await;
    internal_fields_are_hidden(platform).await;
}

async fn customers_are_no_merchants(customer: &shop::Shopper, sku: &str) {
    let adjust =
        "mutation Adjust($input: AdjustStockInput!) { adjustStock(input: $input) { userErrors { code } } }";
    let input = json!({ "input": { "sku": sku, "delta": 9, "reason": "greed", "idempotencyKey": "greed" } });
    let answer = customer.client.query(adjust, input).await.unwrap();
    assert!(!answer.errors().is_empty(), "{}", answer.body);
}

async fn internal_fields_are_hidden(platform: &Platform) {
    let query = "{ purchasableVariants(skus: []) { sku } }";
    let answer = platform.client().query(query, json!({})).await.unwrap();
    assert_eq!(
        answer.error_code(),
        "GRAPHQL_VALIDATION_FAILED",
        "{}",
        answer.body
    );
}
