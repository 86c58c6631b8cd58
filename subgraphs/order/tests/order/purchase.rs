//! Purchases without faults: prices, rejections, idempotency, contention.

use chrono::{TimeDelta, Utc};
use fondaco_chassis::Caller;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::shop::{PURCHASE, Shop, error, with_sweeper, without_sweeper};

#[tokio::test]
async fn a_purchase_is_priced_held_charged_and_confirmed() {
    let shop = Shop::open(&without_sweeper()).await;
    let lines = [("COAT-M", 1), ("SCARF", 2), ("COAT-M", 2)];
    let payload = shop.purchase("k", &lines, "tok_success").await;
    let order = &payload["order"];
    assert_eq!(payload["userErrors"], json!([]));
    assert_eq!(order["status"], "CONFIRMED");
    assert_eq!(
        order["total"],
        json!({ "amount": 3 * 12_900 + 2 * 1_999, "currency": "EUR" })
    );
    let coats = json!({ "quantity": 3, "unitPrice": { "amount": 12_900 }, "total": { "amount": 38_700 }, "variant": { "sku": "COAT-M" } });
    let scarves = json!({ "quantity": 2, "unitPrice": { "amount": 1_999 }, "total": { "amount": 3_998 }, "variant": { "sku": "SCARF" } });
    assert_eq!(order["lines"], json!([coats, scarves]), "duplicates are summed");
    assert_eq!(
        (shop.stock("COAT-M"), shop.stock("SCARF"), shop.charges()),
        (7, 8, 1)
    );
    assert_eq!(
        shop.events(order["id"].as_str().unwrap()).await,
        ["OrderCreated", "OrderConfirmed"]
    );
}

#[tokio::test]
async fn a_declined_payment_fails_the_order_and_returns_the_stock() {
    let shop = Shop::open(&without_sweeper()).await;
    for token in ["tok_declined", "tok_insufficient_funds", "nonsense"] {
        let payload = shop.purchase(token, &[("COAT-M", 4)], token).await;
        assert_eq!(payload["order"]["status"], "FAILED");
        assert_eq!(error(&payload), ("PAYMENT_DECLINED", "paymentToken"));
        assert_eq!(shop.stock("COAT-M"), 10, "released before the answer");
        assert_eq!(
            shop.events(payload["order"]["id"].as_str().unwrap()).await,
            ["OrderCreated", "OrderFailed"]
        );
        assert_eq!(
            shop.purchase(token, &[("COAT-M", 4)], token).await,
            payload,
            "replayed"
        );
    }
    assert_eq!(shop.charges(), 3);
}

#[tokio::test]
async fn an_unknown_payment_is_pending_until_it_is_found_out() {
    let shop = Shop::open(&with_sweeper()).await;
    let payload = shop.purchase("k", &[("COAT-M", 1)], "tok_timeout").await;
    assert_eq!(
        (payload["order"]["status"].as_str(), error(&payload).0),
        (Some("PENDING"), "PAYMENT_PENDING")
    );
    let id = payload["order"]["id"].as_str().unwrap();
    assert_eq!(shop.settled(id).await, "CONFIRMED");
    let repeated = shop.purchase("k", &[("COAT-M", 1)], "tok_timeout").await;
    assert_eq!(
        (&repeated["order"]["id"], &repeated["userErrors"]),
        (&json!(id), &json!([]))
    );
    assert_eq!((shop.charges(), shop.stock("COAT-M")), (1, 9));
}

/// Repeating the purchase is a way to find out, too.
#[tokio::test]
async fn a_repeated_call_settles_a_pending_payment() {
    let shop = Shop::open(&without_sweeper()).await;
    let pending = shop.purchase("k", &[("COAT-M", 1)], "tok_timeout").await;
    let settled = shop.purchase("k", &[("COAT-M", 1)], "tok_timeout").await;
    assert_eq!(settled["order"]["status"], "CONFIRMED");
    assert_eq!(settled["order"]["id"], pending["order"]["id"]);
    assert_eq!((shop.charges(), shop.stock("COAT-M")), (1, 9));
}

#[tokio::test]
async fn what_cannot_be_sold_is_refused_with_its_reason() {
    let shop = Shop::open(&without_sweeper()).await;
    let drop = |hours| json!({ "startsAt": Utc::now() + TimeDelta::hours(hours), "perCustomerLimit": 2 });
    shop.sell("LATER", 100, drop(1), 10);
    shop.sell("NOW", 100, drop(-1), 10);
    shop.sell("GONE", 100, Value::Null, 0);
    shop.catalogue.0.lock().unwrap().get_mut("SCARF").unwrap()["active"] = json!(false);
    shop.sell("UNSTOCKED", 100, Value::Null, 1);
    shop.inventory.stock.lock().unwrap().remove("UNSTOCKED");
    shop.sell("DEAR", 9_007_199_254_740_991, Value::Null, 10);
    let coat = ("COAT-M", 1);
    type Case<'a> = (&'a [(&'a str, i64)], (&'a str, &'a str));
    let cases: &[Case<'_>] = &[
        (&[], ("INVALID_INPUT", "lines")),
        (&[coat; 51], ("INVALID_INPUT", "lines")),
        (&[coat, ("COAT-M", 0)], ("INVALID_INPUT", "lines.1.quantity")),
        (&[("COAT-M", -1)], ("INVALID_INPUT", "lines.0.quantity")),
        (&[("COAT-M", 1001)], ("INVALID_INPUT", "lines.0.quantity")),
        (
            &[("COAT-M", 600), ("COAT-M", 600)],
            ("INVALID_INPUT", "lines.1.quantity"),
        ),
        (&[("DEAR", 2)], ("INVALID_INPUT", "lines")),
        (&[coat, ("NO-SUCH", 1)], ("UNKNOWN_SKU", "lines.1.sku")),
        (&[coat, ("SCARF", 1)], ("UNKNOWN_SKU", "lines.1.sku")),
        (&[coat, ("UNSTOCKED", 1)], ("UNKNOWN_SKU", "lines.1.sku")),
        (&[coat, ("LATER", 1)], ("SALE_NOT_STARTED", "lines.1.sku")),
        (&[coat, ("NOW", 3)], ("LIMIT_EXCEEDED", "lines.1.quantity")),
        (&[coat, ("GONE", 1)], ("SOLD_OUT", "lines.1.quantity")),
        (&[("COAT-M", 11)], ("SOLD_OUT", "lines.0.quantity")),
    ];
    for (index, (lines, expected)) in cases.iter().enumerate() {
        let payload = shop.purchase(&format!("k{index}"), lines, "tok_success").await;
        assert_eq!(
            (error(&payload), &payload["order"]),
            (*expected, &Value::Null),
            "{lines:?}"
        );
    }
    assert_eq!(
        (shop.charges(), shop.stock("COAT-M"), shop.orders().await),
        (0, 10, 0)
    );
}

#[tokio::test]
async fn unusable_texts_are_refused() {
    let shop = Shop::open(&without_sweeper()).await;
    let long = "x".repeat(256);
    for text in ["", "  ", "a\0b", "a\nb", &long] {
        let payload = shop.purchase(text, &[("COAT-M", 1)], "tok_success").await;
        assert_eq!(error(&payload), ("INVALID_INPUT", "idempotencyKey"), "{text:?}");
        let payload = shop.purchase("k", &[("COAT-M", 1)], text).await;
        assert_eq!(error(&payload), ("INVALID_INPUT", "paymentToken"), "{text:?}");
    }
    let answer = shop
        .try_purchase("k", &[("COAT-M", 1 << 31)], "tok_success")
        .await;
    assert_eq!(
        answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT",
        "{answer}"
    );
    assert_eq!(shop.orders().await, 0);
}

#[tokio::test]
async fn purchases_at_once_share_calls_to_product() {
    let shop = Shop::open(&without_sweeper()).await;
    let keys: Vec<_> = (0..9).map(|number| format!("k{number}")).collect();
    let lines = [("COAT-M", 1), ("SCARF", 1)];
    let purchases = keys.iter().map(|key| shop.purchase(key, &lines, "tok_success"));
    for payload in futures::future::join_all(purchases).await {
        assert_eq!(payload["order"]["status"], "CONFIRMED", "{payload}");
    }
    let calls = shop.product_switch.calls();
    assert!(calls <= 3, "{calls} calls for nine purchases of two variants");
}

#[tokio::test]
async fn a_rejection_is_replayed_even_when_things_change() {
    let shop = Shop::open(&without_sweeper()).await;
    let refused = shop.purchase("k", &[("COAT-M", 11)], "tok_success").await;
    shop.sell("COAT-M", 12_900, Value::Null, 100);
    assert_eq!(
        shop.purchase("k", &[("COAT-M", 11)], "tok_success").await,
        refused
    );
    assert_eq!(
        shop.purchase("k2", &[("COAT-M", 11)], "tok_success").await["order"]["status"],
        "CONFIRMED"
    );
}

#[tokio::test]
async fn a_key_stands_for_one_request_of_one_customer() {
    let mut shop = Shop::open(&without_sweeper()).await;
    let first = shop
        .purchase("k", &[("COAT-M", 1), ("SCARF", 1)], "tok_success")
        .await;
    let others: [(&[(&str, i64)], &str); 4] = [
        (&[("COAT-M", 2), ("SCARF", 1)], "tok_success"),
        (&[("COAT-M", 1)], "tok_success"),
        (&[("SCARF", 1), ("COAT-M", 1)], "tok_success"),
        (&[("COAT-M", 1), ("SCARF", 1)], "tok_declined"),
    ];
    for (lines, token) in others {
        assert_eq!(
            error(&shop.purchase("k", lines, token).await).0,
            "IDEMPOTENCY_KEY_REUSED",
            "{lines:?} {token}"
        );
    }
    assert_eq!(
        shop.purchase("k", &[("COAT-M", 1), ("SCARF", 1)], "tok_success")
            .await,
        first
    );
    shop.router = shop.start(&without_sweeper()).await.router;
    assert_eq!(
        shop.purchase("k", &[("COAT-M", 1), ("SCARF", 1)], "tok_success")
            .await,
        first,
        "after a restart"
    );
    shop.customer = fondaco_contracts::UserId::new();
    let of_another = shop
        .purchase("k", &[("COAT-M", 1), ("SCARF", 1)], "tok_success")
        .await;
    assert_ne!(of_another["order"]["id"], first["order"]["id"]);
    assert_eq!((shop.charges(), shop.stock("COAT-M")), (2, 8));
}

#[tokio::test]
async fn concurrent_duplicates_get_the_first_answer() {
    let shop = Shop::open(&without_sweeper()).await;
    for (token, charges) in [("tok_success", 1), ("tok_declined", 2)] {
        let answers = join_all((0..20).map(|_| shop.purchase(token, &[("COAT-M", 1)], token))).await;
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
        assert_eq!(shop.charges(), charges);
    }
    assert_eq!((shop.stock("COAT-M"), shop.orders().await), (9, 2));
}

#[tokio::test]
async fn many_buyers_get_exactly_what_there_is() {
    let shop = Shop::open(&without_sweeper()).await;
    let before = shop.product_switch.calls();
    let keys: Vec<_> = (0..200).map(|buyer| format!("k{buyer}")).collect();
    let answers = join_all(
        keys.iter()
            .map(|key| shop.purchase(key, &[("COAT-M", 1)], "tok_success")),
    )
    .await;
    let confirmed = answers
        .iter()
        .filter(|answer| answer["order"]["status"] == "CONFIRMED")
        .count();
    let sold_out = answers
        .iter()
        .filter(|answer| answer["userErrors"][0]["code"] == "SOLD_OUT")
        .count();
    assert_eq!(
        (confirmed, sold_out, shop.stock("COAT-M"), shop.charges()),
        (10, 190, 0, 10)
    );
    let calls = shop.product_switch.calls() - before;
    assert!(calls < 100, "200 purchases shared {calls} calls to product");
}

#[tokio::test]
async fn only_signed_in_users_buy() {
    let shop = Shop::open(&without_sweeper()).await;
    let input =
        json!({ "idempotencyKey": "k", "lines": [{ "sku": "COAT-M", "quantity": 1 }], "paymentToken": "t" });
    for caller in [
        Caller::Anonymous,
        Caller::Service {
            name: "inventory".to_owned(),
        },
    ] {
        let answer = shop.call_as(&caller, PURCHASE, json!({ "input": input })).await;
        assert_eq!(
            answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED",
            "{answer}"
        );
    }
    assert_eq!(shop.stock("COAT-M"), 10);
}
