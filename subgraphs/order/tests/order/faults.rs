//! Every peer failing at every step: what the customer is told, and that a repetition or the sweeper ends it well.

use std::{sync::Arc, time::Duration};

use fondaco_order::config::OrderConfig;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    peers::{Fault, Switch},
    shop::{Shop, error, with_sweeper, without_sweeper},
};

const COAT: &[(&str, i64)] = &[("COAT-M", 1)];

fn switch<'a>(shop: &'a Shop, peer: &str) -> &'a Arc<Switch> {
    match peer {
        "product" => &shop.product_switch,
        "inventory" => &shop.inventory_switch,
        _ => &shop.payment_switch,
    }
}

#[tokio::test]
async fn a_purchase_without_product_succeeds_when_repeated() {
    check_repetition("product").await;
}

#[tokio::test]
async fn a_purchase_without_inventory_succeeds_when_repeated() {
    check_repetition("inventory").await;
}

#[tokio::test]
async fn a_purchase_without_payment_succeeds_when_repeated() {
    check_repetition("payment").await;
}

async fn check_repetition(peer: &str) {
    for fault in [Fault::Refuse, Fault::LoseReply] {
        let shop = Shop::open(&without_sweeper()).await;
        switch(&shop, peer).set(fault);
        let failed = shop.try_purchase("k", COAT, "tok_success").await;
        if peer == "payment" {
            assert_eq!(
                error(&failed["data"]["purchase"]).0,
                "PAYMENT_PENDING",
                "{fault:?}"
            );
            assert_eq!(failed["data"]["purchase"]["order"]["status"], "PENDING");
        } else {
            let error = &failed["errors"][0];
            assert_eq!(error["extensions"]["code"], "TEMPORARILY_UNAVAILABLE", "{failed}");
            assert_eq!(error["message"], "temporarily unavailable, try again");
        }
        switch(&shop, peer).set(Fault::None);
        sleep(Duration::from_millis(150)).await;
        let repeated = shop.purchase("k", COAT, "tok_success").await;
        assert_eq!(repeated["order"]["status"], "CONFIRMED", "{fault:?}");
        assert_eq!(shop.purchase("k", COAT, "tok_success").await, repeated);
        assert_eq!(
            (shop.charges(), shop.stock("COAT-M"), shop.orders().await),
            (1, 9, 1),
            "{fault:?}"
        );
    }
}

/// Payment never heard of the order: it is called off, and a charge that arrives later is declined.
#[tokio::test]
async fn the_sweeper_gives_up_what_was_never_charged() {
    let shop = Shop::open(&with_sweeper()).await;
    shop.payment_switch.set(Fault::Refuse);
    let payload = shop.purchase("k", COAT, "tok_success").await;
    let order = payload["order"]["id"].as_str().unwrap();
    assert_eq!(error(&payload).0, "PAYMENT_PENDING");
    sleep(Duration::from_millis(500)).await;
    assert_eq!(
        shop.status(order).await,
        "PENDING",
        "nothing is decided while payment is away"
    );
    shop.payment_switch.set(Fault::None);
    assert_eq!(shop.settled(order).await, "FAILED");
    // The status changes first; payment is told right after it.
    let called_off = json!({ "outcome": "DECLINED", "declineCode": "called_off" });
    for _ in 0..100 {
        if shop.charge_outcome(order).await == called_off {
            break;
        }
        sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(shop.charge_outcome(order).await, called_off);
    assert_eq!(
        error(&shop.purchase("k", COAT, "tok_success").await),
        ("PAYMENT_DECLINED", "paymentToken")
    );
    assert_eq!((shop.charges(), shop.events(order).await.len()), (0, 2));
    sleep(Duration::from_millis(100)).await;
    assert_eq!(shop.stock("COAT-M"), 10);
}

#[tokio::test]
async fn the_sweeper_confirms_what_was_charged() {
    let shop = Shop::open(&with_sweeper()).await;
    shop.payment_switch.set(Fault::LoseReply);
    let payload = shop.purchase("k", COAT, "tok_success").await;
    let order = payload["order"]["id"].as_str().unwrap();
    assert_eq!(error(&payload).0, "PAYMENT_PENDING");
    shop.payment_switch.set(Fault::None);
    assert_eq!(shop.settled(order).await, "CONFIRMED");
    assert_eq!((shop.charges(), shop.refunds(), shop.stock("COAT-M")), (1, 0, 9));
    assert_eq!(shop.events(order).await, ["OrderCreated", "OrderConfirmed"]);
}

/// The payment is found captured when the hold is at its end: inventory decides whether there is a sale, or the money goes back.
#[tokio::test]
async fn a_late_payment_gets_its_stock_or_is_refunded() {
    for (lapsed, status, code, refunds) in [(false, "CONFIRMED", "", 0), (true, "FAILED", "SOLD_OUT", 1)] {
        let config = OrderConfig {
            hold_seconds: 1,
            ..without_sweeper()
        };
        let shop = Shop::open(&config).await;
        let payload = shop.purchase("k", COAT, "tok_timeout").await;
        if lapsed {
            shop.inventory.release(payload["order"]["id"].as_str().unwrap());
        }
        let settled = shop.purchase("k", COAT, "tok_timeout").await;
        assert_eq!(
            (settled["order"]["status"].as_str(), shop.refunds()),
            (Some(status), refunds)
        );
        assert_eq!(
            settled["userErrors"][0]["code"].as_str().unwrap_or_default(),
            code
        );
    }
}

/// The answer to the reservation was lost, and the customer comes back when the hold has lapsed.
#[tokio::test]
async fn a_purchase_resumed_after_its_hold_lapsed_holds_anew() {
    let shop = Shop::open(&without_sweeper()).await;
    shop.inventory_switch.set(Fault::LoseReply);
    shop.try_purchase("k", COAT, "tok_success").await;
    shop.inventory_switch.set(Fault::None);
    let lapsed = shop
        .inventory
        .holds
        .lock()
        .unwrap()
        .keys()
        .next()
        .unwrap()
        .clone();
    shop.inventory.release(&lapsed);
    let payload = shop.purchase("k", COAT, "tok_success").await;
    assert_eq!(payload["order"]["status"], "CONFIRMED");
    assert_eq!(
        payload["order"]["id"],
        lapsed.as_str(),
        "the order keeps its id, the hold gets another"
    );
    assert_eq!(shop.inventory.holds.lock().unwrap().len(), 1);
    assert_eq!(shop.purchase("k", COAT, "tok_success").await, payload);
    assert_eq!((shop.charges(), shop.stock("COAT-M")), (1, 9));
}

/// The release that spares the next buyer the wait for the event may fail: the event follows.
#[tokio::test]
async fn a_failed_release_does_not_change_the_answer() {
    let shop = Shop::open(&without_sweeper()).await;
    shop.inventory_switch.set_after(1, Fault::Refuse);
    let payload = shop.purchase("k", COAT, "tok_declined").await;
    assert_eq!(error(&payload).0, "PAYMENT_DECLINED");
    assert_eq!(payload["order"]["status"], "FAILED");
    assert_eq!(
        shop.events(payload["order"]["id"].as_str().unwrap()).await,
        ["OrderCreated", "OrderFailed"]
    );
}

#[tokio::test]
async fn events_reach_the_stream() {
    let shop = Shop::open(&without_sweeper()).await;
    let order = shop.buy("k").await;
    let client = redis::Client::open(shop.test.runtime.redis_url.as_str()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let stream = format!("{}events:order", shop.test.runtime.redis_prefix);
    for _ in 0..100 {
        let entries: Vec<(String, Vec<(String, String)>)> = redis::cmd("XRANGE")
            .arg(&stream)
            .arg("-")
            .arg("+")
            .query_async(&mut connection)
            .await
            .unwrap();
        let events: Vec<Value> = entries
            .iter()
            .map(|(_, fields)| serde_json::from_str(&fields[0].1).unwrap())
            .collect();
        if events.len() == 2 {
            assert_eq!(
                (&events[0]["name"], &events[1]["name"]),
                (&json!("OrderCreated"), &json!("OrderConfirmed"))
            );
            assert!(
                events
                    .iter()
                    .all(|event| event["payload"]["orderId"] == order.as_str())
            );
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("the events did not reach the stream");
}
