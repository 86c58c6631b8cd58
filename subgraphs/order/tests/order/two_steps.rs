//! Payments in two steps: money set aside and taken later, and payments that the customer must confirm.

use std::{sync::atomic::Ordering, time::Duration};

use fondaco_contracts::{OrderId, UserId};
use fondaco_order::config::OrderConfig;
use serde_json::{Value, json};

use crate::{
    peers::Fault,
    shop::{Shop, error, with_sweeper, without_sweeper},
};

const ORDER: &str = "order { id status }";

impl Shop {
    async fn start_payment(&self, key: &str, token: &str) -> Value {
        let lines = json!([{ "sku": "COAT-M", "quantity": 1 }]);
        let input = json!({ "idempotencyKey": key, "lines": lines, "paymentToken": token });
        self.mutate("startPayment", "PurchaseInput", ORDER, input).await
    }

    async fn complete(&self, key: &str, order: &str, confirmation: &str) -> Value {
        let input = json!({ "idempotencyKey": key, "orderId": order, "confirmation": confirmation });
        self.mutate("completePayment", "CompletePaymentInput", ORDER, input)
            .await
    }

    fn captures(&self) -> usize {
        self.bank.captures.load(Ordering::SeqCst)
    }
}

fn id(payload: &Value) -> String {
    payload["order"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn money_is_set_aside_and_taken_once() {
    let shop = Shop::open(&without_sweeper()).await;
    let started = shop.start_payment("s", "tok_success").await;
    assert_eq!(
        (&started["order"]["status"], &started["userErrors"]),
        (&json!("PENDING"), &json!([]))
    );
    assert_eq!(shop.start_payment("s", "tok_success").await, started, "repeated");
    assert_eq!((shop.stock("COAT-M"), shop.captures()), (9, 0));
    let order = id(&started);
    let done = json!({ "order": { "id": order, "status": "CONFIRMED" }, "userErrors": [] });
    for key in ["c", "c", "another"] {
        assert_eq!(shop.complete(key, &order, "").await, done);
    }
    assert_eq!((shop.charges(), shop.captures()), (1, 1));
    assert_eq!(shop.events(&order).await, ["OrderCreated", "OrderConfirmed"]);
    assert_eq!(shop.start_payment("s", "tok_success").await, done);
}

#[tokio::test]
async fn the_customer_confirms() {
    let shop = Shop::open(&without_sweeper()).await;
    for (key, confirmation, status, code) in [
        ("a", "ok", "CONFIRMED", None),
        ("b", "no", "FAILED", Some("PAYMENT_DECLINED")),
    ] {
        let payload = shop.purchase(key, &[("COAT-M", 1)], "tok_confirm").await;
        assert_eq!(error(&payload), ("PAYMENT_CONFIRMATION_REQUIRED", "paymentToken"));
        assert_eq!(payload["order"]["status"], "PENDING");
        assert_eq!(
            shop.purchase(key, &[("COAT-M", 1)], "tok_confirm").await,
            payload,
            "repeated"
        );
        let completed = shop
            .complete(&format!("c{key}"), &id(&payload), confirmation)
            .await;
        assert_eq!(completed["order"]["status"], status);
        assert_eq!(completed["userErrors"][0]["code"].as_str(), code);
        assert_eq!(
            shop.complete(&format!("c{key}"), &id(&payload), confirmation)
                .await,
            completed,
            "repeated"
        );
    }
    assert_eq!((shop.charges(), shop.stock("COAT-M")), (2, 9));
}

/// Nobody completes it: the money is let go and the stock returns when the hold lapses.
#[tokio::test]
async fn what_is_not_completed_in_time_is_given_up() {
    let config = OrderConfig {
        hold_seconds: 1,
        ..with_sweeper()
    };
    let shop = Shop::open(&config).await;
    for token in ["tok_success", "tok_confirm"] {
        let started = shop.start_payment(token, token).await;
        let order = id(&started);
        tokio::time::sleep(Duration::from_millis(400)).await;
        assert_eq!(shop.status(&order).await, "PENDING", "it may still be completed");
        assert_eq!(shop.settled(&order).await, "FAILED");
        assert_eq!(
            error(&shop.start_payment(token, token).await).0,
            "PAYMENT_DECLINED"
        );
        assert_eq!(
            error(&shop.complete(&format!("late {token}"), &order, "ok").await).0,
            "PAYMENT_DECLINED"
        );
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(
        (
            shop.bank.voids.load(Ordering::SeqCst),
            shop.captures(),
            shop.stock("COAT-M")
        ),
        (2, 0, 10)
    );
}

#[tokio::test]
async fn a_lost_completion_is_found_out() {
    let shop = Shop::open(&with_sweeper()).await;
    let order = id(&shop.start_payment("s", "tok_success").await);
    shop.payment_switch.set(Fault::LoseReply);
    let input = json!({ "idempotencyKey": "c", "orderId": order });
    let query =
        "mutation ($input: CompletePaymentInput!) { completePayment(input: $input) { order { id } } }";
    let lost = shop.call(query, json!({ "input": input })).await;
    assert_eq!(
        lost["errors"][0]["extensions"]["code"], "TEMPORARILY_UNAVAILABLE",
        "{lost}"
    );
    shop.payment_switch.set(Fault::None);
    let completed = shop.complete("c", &order, "").await;
    assert_eq!(
        (completed["order"]["status"].as_str(), shop.captures()),
        (Some("CONFIRMED"), 1)
    );
}

#[tokio::test]
async fn only_what_waits_can_be_completed() {
    let mut shop = Shop::open(&without_sweeper()).await;
    let started = id(&shop.start_payment("s", "tok_success").await);
    let cancelled = id(&shop.start_payment("x", "tok_success").await);
    assert_eq!(
        shop.cancel("cancel", &cancelled).await["order"]["status"],
        "CANCELLED"
    );
    assert_eq!(
        shop.bank.voids.load(Ordering::SeqCst),
        1,
        "what was set aside is let go"
    );
    assert_eq!(
        error(&shop.complete("c1", &cancelled, "").await),
        ("PAYMENT_NOT_COMPLETABLE", "orderId")
    );
    assert_eq!(
        error(&shop.complete("c2", &OrderId::new().to_string(), "").await),
        ("ORDER_NOT_FOUND", "orderId")
    );
    assert_eq!(
        error(&shop.complete("", &started, "").await),
        ("INVALID_INPUT", "idempotencyKey")
    );
    assert_eq!(
        error(&shop.complete("c3", &started, "a\0b").await),
        ("INVALID_INPUT", "confirmation")
    );
    assert_eq!(
        error(&shop.complete("s", &started, "").await),
        ("IDEMPOTENCY_KEY_REUSED", "idempotencyKey")
    );
    shop.customer = UserId::new();
    assert_eq!(
        error(&shop.complete("c4", &started, "").await),
        ("ORDER_NOT_FOUND", "orderId")
    );
}
