//! Payments that take their time: providers that answer late or not at all, customers who complete too late or twice.

#![allow(clippy::unwrap_used, reason = "for tests: what is wrong fails them")]

use std::time::Duration;

use fondaco_e2e::platform::Platform;
use fondaco_e2e::shop::{self, Shopper, Variant};
use serde_json::{Value, json};
use uuid::Uuid;

const HOLD_SECONDS: u64 = 4;
const ORDER: &str =
    "order { id status payment { status refunded { amount } } } userErrors { code field message }";

/// Short holds, an impatient payment service and a quick sweeper.
fn configure(config: &mut Value) {
    let order = json!({ "hold_seconds": HOLD_SECONDS, "settle_after_ms": 500, "settle_again_ms": 300, "sweep_interval_ms": 200 });
    for (key, value) in order.as_object().unwrap() {
        config["order"][key] = value.clone();
    }
    config["payment"]["provider_timeout_ms"] = json!(500);
    config["inventory"]["reaper_interval_ms"] = json!(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn late_payments() {
    let mut platform = Platform::start_configured(configure).await.unwrap();
    let client = platform.client();
    let (merchant, shopper) = (shop::merchant(&client).await, shop::sign_up(&client).await);
    let variants = shop::variants(&client).await;
    let variant = variants.iter().find(|variant| !variant.drop).unwrap();
    shop::set_stock(&merchant, variant, 10).await;

    an_answer_that_comes_late_confirms_the_order(&shopper, variant).await;
    shop::expect_available(&client, variant, 8).await;
    what_is_completed_twice_is_paid_once(&shopper, variant).await;
    shop::expect_available(&client, variant, 7).await;
    what_is_completed_too_late_is_let_go(&shopper, variant).await;
    shop::expect_available(&client, variant, 7).await;

    let (table, balanced) = platform.reconcile().await.unwrap();
    assert!(balanced, "{table}");
    platform.stop().await.unwrap();
}

async fn an_answer_that_comes_late_confirms_the_order(shopper: &Shopper, variant: &Variant) {
    for token in ["tok_timeout", "tok_late"] {
        let payload = pay(shopper, "purchase", variant, token, token).await;
        assert_eq!(error(&payload), ["PAYMENT_PENDING", "paymentToken"], "{payload}");
        let order = settled(shopper, &payload).await;
        assert_eq!(
            (&order["status"], &order["payment"]["status"]),
            (&json!("CONFIRMED"), &json!("CAPTURED"))
        );
        let again = pay(shopper, "purchase", variant, token, token).await;
        assert_eq!((&again["order"], &again["userErrors"]), (&order, &json!([])));
    }
}

async fn what_is_completed_twice_is_paid_once(shopper: &Shopper, variant: &Variant) {
    let started = pay(shopper, "startPayment", variant, "tok_success", "twice").await;
    assert_eq!(started["order"]["payment"]["status"], "AUTHORIZED", "{started}");
    let completed = complete(shopper, &started, "", "first").await;
    assert_eq!(completed["order"]["payment"]["status"], "CAPTURED", "{completed}");
    for key in ["first", "second"] {
        assert_eq!(complete(shopper, &started, "", key).await, completed, "{key}");
    }
}

async fn what_is_completed_too_late_is_let_go(shopper: &Shopper, variant: &Variant) {
    let started = pay(shopper, "startPayment", variant, "tok_success", "set aside").await;
    let waiting = pay(shopper, "startPayment", variant, "tok_confirm", "to be confirmed").await;
    assert_eq!(
        error(&waiting),
        ["PAYMENT_CONFIRMATION_REQUIRED", "paymentToken"],
        "{waiting}"
    );
    tokio::time::sleep(Duration::from_secs(HOLD_SECONDS)).await;
    for (begun, confirmation) in [(&started, ""), (&waiting, "ok")] {
        assert_eq!(settled(shopper, begun).await["status"], "FAILED");
        let late = complete(shopper, begun, confirmation, &Uuid::new_v4().to_string()).await;
        assert_eq!(error(&late), ["PAYMENT_DECLINED", "paymentToken"], "{late}");
        assert_eq!(late["order"]["payment"]["status"], "VOIDED", "{late}");
        let message = late["userErrors"][0]["message"].as_str().unwrap();
        assert!(message.contains("nothing was charged"), "{message}");
    }
}

async fn pay(shopper: &Shopper, field: &str, variant: &Variant, token: &str, key: &str) -> Value {
    let query = format!("mutation P($input: PurchaseInput!) {{ {field}(input: $input) {{ {ORDER} }} }}");
    let input = shop::order(&variant.sku, 1, token, key);
    let answer = shopper.client.query(&query, input).await.unwrap();
    answer.expect_data()[field].clone()
}

async fn complete(shopper: &Shopper, started: &Value, confirmation: &str, key: &str) -> Value {
    let query = format!(
        "mutation C($input: CompletePaymentInput!) {{ completePayment(input: $input) {{ {ORDER} }} }}"
    );
    let id = &started["order"]["id"];
    let input =
        json!({ "orderId": id, "idempotencyKey": format!("{key} {id}"), "confirmation": confirmation });
    let answer = shopper
        .client
        .query(&query, json!({ "input": input }))
        .await
        .unwrap();
    answer.expect_data()["completePayment"].clone()
}

/// The order when it is no longer PENDING and its payment has come to an end.
async fn settled(shopper: &Shopper, payload: &Value) -> Value {
    let query = "query O($id: ID!) { order(id: $id) { id status payment { status refunded { amount } } } }";
    let mut order = Value::Null;
    for _ in 0..200 {
        let answer = shopper
            .client
            .query(query, json!({ "id": payload["order"]["id"] }))
            .await
            .unwrap();
        order = answer.expect_data()["order"].clone();
        let payment = order["payment"]["status"].as_str().unwrap_or_default();
        if order["status"] != "PENDING" && ["CAPTURED", "VOIDED"].contains(&payment) {
            return order;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the order is not settled: {order}");
}

fn error(payload: &Value) -> [&str; 2] {
    let error = &payload["userErrors"][0];
    [&error["code"], &error["field"]].map(|text| text.as_str().unwrap_or_default())
}
