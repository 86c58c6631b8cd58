//! The process dies between any two steps of a purchase. It runs in a tokio runtime of its own, which is shut down while a peer hangs
//! before or after it has done what was asked; then a new one starts on the same database.

use std::{sync::Arc, time::Duration};

use fondaco_chassis::testing::{customer, post};
use fondaco_order::config::OrderConfig;
use futures::future::join_all;
use serde_json::json;
use tokio::time::sleep;

use crate::{
    peers::{Fault, Switch},
    shop::{PURCHASE, Shop, with_sweeper, without_sweeper},
};

/// Where the process dies.
struct Death {
    after: &'static str,
    peer: fn(&Shop) -> &Arc<Switch>,
    /// Calls of that peer that pass before.
    spared: usize,
    fault: Fault,
    token: &'static str,
}

const DEATHS: [Death; 6] = [
    Death {
        after: "2 claim",
        peer: |shop| &shop.product_switch,
        spared: 0,
        fault: Fault::HangBefore,
        token: OK,
    },
    Death {
        after: "3 price",
        peer: |shop| &shop.inventory_switch,
        spared: 0,
        fault: Fault::HangBefore,
        token: OK,
    },
    Death {
        after: "4 reserve",
        peer: |shop| &shop.inventory_switch,
        spared: 0,
        fault: Fault::HangAfter,
        token: OK,
    },
    Death {
        after: "5 place",
        peer: |shop| &shop.payment_switch,
        spared: 0,
        fault: Fault::HangBefore,
        token: OK,
    },
    Death {
        after: "6 charge",
        peer: |shop| &shop.payment_switch,
        spared: 0,
        fault: Fault::HangAfter,
        token: OK,
    },
    Death {
        after: "7 conclude",
        peer: |shop| &shop.inventory_switch,
        spared: 1,
        fault: Fault::HangBefore,
        token: NO,
    },
];
const OK: &str = "tok_success";
const NO: &str = "tok_declined";

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_call_finishes_what_a_dead_process_began() {
    join_all(DEATHS.map(async |death| {
        let mut shop = die(&death, &without_sweeper()).await;
        sleep(Duration::from_millis(350)).await;
        shop.router = shop.start(&without_sweeper()).await.router;
        let payload = shop.purchase("k", &[("COAT-M", 1)], death.token).await;
        let status = if death.token == OK { "CONFIRMED" } else { "FAILED" };
        assert_eq!(payload["order"]["status"], status, "after {}", death.after);
        assert_eq!(
            (shop.charges(), shop.orders().await),
            (1, 1),
            "after {}",
            death.after
        );
        assert_eq!(shop.purchase("k", &[("COAT-M", 1)], death.token).await, payload);
        assert_eq!(
            shop.stock("COAT-M"),
            9,
            "held once; after a decline the event releases it"
        );
        let events = shop.events(payload["order"]["id"].as_str().unwrap()).await;
        assert_eq!(events.len(), 2, "after {}", death.after);
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sweeper_finishes_what_nobody_repeats() {
    join_all(DEATHS.map(async |death| {
        let mut shop = die(&death, &with_sweeper()).await;
        shop.router = shop.start(&with_sweeper()).await.router;
        let (orders, charges, status) = match death.after {
            "5 place" => (1, 0, Some("FAILED")),
            "6 charge" => (1, 1, Some("CONFIRMED")),
            "7 conclude" => (1, 1, Some("FAILED")),
            _ => (0, 0, None),
        };
        assert_eq!(shop.orders().await, orders, "after {}", death.after);
        if let Some(status) = status {
            let listed = shop.call("{ orders { edges { node { id } } } }", json!({})).await;
            let id = listed["data"]["orders"]["edges"][0]["node"]["id"]
                .as_str()
                .unwrap()
                .to_owned();
            assert_eq!(shop.settled(&id).await, status, "after {}", death.after);
        }
        assert_eq!(
            (shop.charges(), shop.refunds()),
            (charges, 0),
            "after {}",
            death.after
        );
    }))
    .await;
}

/// A shop whose order service died during a purchase.
async fn die(death: &Death, config: &OrderConfig) -> Shop {
    let shop = Shop::closed().await;
    let process = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let (config, runtime) = (config.clone(), shop.test.runtime.clone());
    let starting =
        process.spawn(async move { fondaco_order::start(&config, &runtime).await.unwrap().router });
    let router = starting.await.unwrap();

    let switch = (death.peer)(&shop);
    switch.set_after(death.spared, death.fault);
    let caller = shop.test.runtime.identity.sign(&customer(shop.customer), "order");
    let lines = json!([{ "sku": "COAT-M", "quantity": 1 }]);
    let input = json!({ "idempotencyKey": "k", "lines": lines, "paymentToken": death.token });
    let body = json!({ "query": PURCHASE, "variables": { "input": input } }).to_string();
    process.spawn(async move { post(&router, Some(&caller), body).await });
    switch.hanging.notified().await;
    tokio::task::spawn_blocking(move || process.shutdown_timeout(Duration::from_secs(5)))
        .await
        .unwrap();
    switch.set(Fault::None);
    shop
}
