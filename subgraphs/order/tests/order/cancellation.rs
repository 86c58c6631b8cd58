//! Cancelling orders.

use std::time::Duration;

use fondaco_contracts::{OrderId, UserId};
use serde_json::{Value, json};

use crate::{
    peers::Fault,
    shop::{Shop, error, with_sweeper, without_sweeper},
};

#[tokio::test]
async fn a_confirmed_order_is_cancelled_and_refunded_once() {
    let shop = Shop::open(&without_sweeper()).await;
    let order = shop.buy("buy").await;
    let cancelled = json!({ "order": { "id": order, "status": "CANCELLED" }, "userErrors": [] });
    for _ in 0..3 {
        assert_eq!(shop.cancel("c", &order).await, cancelled);
    }
    assert_eq!((shop.charges(), shop.refunds()), (1, 1));
    assert_eq!(
        shop.events(&order).await,
        ["OrderCreated", "OrderConfirmed", "OrderCancelled"]
    );
    assert_eq!(
        error(&shop.cancel("another", &order).await),
        ("ORDER_NOT_CANCELLABLE", "orderId")
    );
    let repeated = shop.purchase("buy", &[("COAT-M", 1)], "tok_success").await;
    assert_eq!(repeated["order"]["status"], "CANCELLED");
}

#[tokio::test]
async fn a_pending_order_is_cancelled_and_its_money_given_back() {
    let shop = Shop::open(&without_sweeper()).await;
    let payload = shop.purchase("buy", &[("COAT-M", 1)], "tok_timeout").await;
    let order = payload["order"]["id"].as_str().unwrap();
    assert_eq!(shop.cancel("c", order).await["order"]["status"], "CANCELLED");
    assert_eq!(shop.charge_outcome(order).await["declineCode"], "refunded");
    assert_eq!(shop.status(order).await, "CANCELLED");
}

#[tokio::test]
async fn a_failed_order_cannot_be_cancelled() {
    let shop = Shop::open(&without_sweeper()).await;
    let payload = shop.purchase("buy", &[("COAT-M", 1)], "tok_declined").await;
    let refused = shop.cancel("c", payload["order"]["id"].as_str().unwrap()).await;
    assert_eq!(
        (error(&refused).0, &refused["order"]),
        ("ORDER_NOT_CANCELLABLE", &Value::Null)
    );
}

#[tokio::test]
async fn others_orders_and_used_keys_are_refused() {
    let mut shop = Shop::open(&without_sweeper()).await;
    let order = shop.buy("buy").await;
    assert_eq!(
        error(&shop.cancel("buy", &order).await).0,
        "IDEMPOTENCY_KEY_REUSED"
    );
    assert_eq!(
        error(&shop.cancel("", &order).await),
        ("INVALID_INPUT", "idempotencyKey")
    );
    assert_eq!(
        error(&shop.cancel("x", &OrderId::new().to_string()).await).0,
        "ORDER_NOT_FOUND"
    );
    let owner = std::mem::replace(&mut shop.customer, UserId::new());
    assert_eq!(error(&shop.cancel("c", &order).await).0, "ORDER_NOT_FOUND");
    shop.customer = owner;
    assert_eq!(shop.status(&order).await, "CONFIRMED");
}

#[tokio::test]
async fn concurrent_cancellations_refund_once() {
    let shop = Shop::open(&without_sweeper()).await;
    let order = shop.buy("buy").await;
    let keys: Vec<_> = (0..10).map(|key| format!("c{key}")).collect();
    let answers = futures::future::join_all(keys.iter().map(|key| shop.cancel(key, &order))).await;
    let done = answers
        .iter()
        .filter(|answer| answer["order"]["status"] == "CANCELLED")
        .count();
    assert_eq!((done, shop.refunds()), (1, 1), "{answers:?}");
}

#[tokio::test]
async fn the_sweeper_pays_back_when_payment_was_away() {
    let shop = Shop::open(&with_sweeper()).await;
    let order = shop.buy("buy").await;
    shop.payment_switch.set(Fault::Refuse);
    assert_eq!(shop.cancel("c", &order).await["order"]["status"], "CANCELLED");
    assert_eq!(shop.refunds(), 0);
    shop.payment_switch.set(Fault::None);
    for _ in 0..100 {
        if shop.refunds() == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(shop.refunds(), 1, "once, and not again");
}
