//! Payments in two steps: money that is set aside and taken later, and a card whose owner must confirm.

use serde_json::{Value, json};

use crate::platform::Platform;
use crate::shop::{self, Shopper};

const ORDER: &str = "order { id status payment { status confirmationUrl } } userErrors { code field }";

/// Tells the story.
pub async fn run(platform: &Platform) {
    let client = platform.client();
    let (merchant, shopper) = (shop::merchant(&client).await, shop::sign_up(&client).await);
    let variants = shop::variants(&client).await;
    let variant = variants.iter().filter(|variant| !variant.drop).nth(8).unwrap();
    shop::set_stock(&merchant, variant, 5).await;

    let started = pay(&shopper, "startPayment", &variant.sku, "tok_success").await;
    assert_eq!(started["userErrors"], json!([]));
    assert_eq!(started["order"]["status"], "PENDING");
    assert_eq!(started["order"]["payment"]["status"], "AUTHORIZED");
    shop::expect_available(&client, variant, 4).await;
    let completed = complete(&shopper, &started, "").await;
    assert_eq!(completed["order"]["status"], "CONFIRMED", "{completed}");
    assert_eq!(completed["order"]["payment"]["status"], "CAPTURED");

    for (confirmation, status) in [("no", "FAILED"), ("ok", "CONFIRMED")] {
        let waiting = pay(&shopper, "purchase", &variant.sku, "tok_confirm").await;
        assert_eq!(
            waiting["userErrors"][0]["code"], "PAYMENT_CONFIRMATION_REQUIRED",
            "{waiting}"
        );
        assert!(
            waiting["order"]["payment"]["confirmationUrl"].is_string(),
            "{waiting}"
        );
        let completed = complete(&shopper, &waiting, confirmation).await;
        assert_eq!(completed["order"]["status"], status, "{completed}");
    }
    shop::expect_available(&client, variant, 3).await;
}

async fn pay(shopper: &Shopper, field: &str, sku: &str, token: &str) -> Value {
    let key = uuid::Uuid::new_v4().to_string();
    let query = format!("mutation P($input: PurchaseInput!) {{ {field}(input: $input) {{ {ORDER} }} }}");
    let answer = shopper
        .client
        .query(&query, shop::order(sku, 1, token, &key))
        .await
        .unwrap();
    answer.expect_data()[field].clone()
}

async fn complete(shopper: &Shopper, started: &Value, confirmation: &str) -> Value {
    let id = &started["order"]["id"];
    let query = format!(
        "mutation C($input: CompletePaymentInput!) {{ completePayment(input: $input) {{ {ORDER} }} }}"
    );
    let input =
        json!({ "orderId": id, "idempotencyKey": format!("complete {id}"), "confirmation": confirmation });
    let answer = shopper
        .client
        .query(&query, json!({ "input": input }))
        .await
        .unwrap();
    answer.expect_data()["completePayment"].clone()
}
