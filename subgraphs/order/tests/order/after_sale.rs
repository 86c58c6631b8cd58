//! Refunds, fulfilment, and the history of an order.

use std::time::Duration;

use fondaco_chassis::Caller;
use fondaco_contracts::{OrderId, UserId};
use serde_json::{Value, json};

use crate::{
    peers::Fault,
    shop::{Shop, error, with_sweeper, without_sweeper},
};

const REFUND: &str = "order { id status refunded { amount } lines { refundedQuantity } }
    refund { id status amount { amount } reason }";

impl Shop {
    async fn request_refund(&self, key: &str, order: &str, lines: Value) -> Value {
        let input = json!({ "orderId": order, "idempotencyKey": key, "lines": lines, "reason": "too small" });
        self.mutate("requestRefund", "RequestRefundInput", REFUND, input)
            .await
    }

    async fn fulfil(&self, key: &str, order: &str) -> Value {
        let input = json!({ "orderId": order, "idempotencyKey": key, "trackingCode": "T1" });
        self.mutate_as(
            &merchant(),
            "fulfillOrder",
            "FulfillOrderInput",
            "order { status trackingCode }",
            input,
        )
        .await
    }

    /// The id of a paid order of three coats and two scarves.
    async fn paid(&self) -> String {
        let payload = self
            .purchase(
                &UserId::new().to_string(),
                &[("COAT-M", 3), ("SCARF", 2)],
                "tok_success",
            )
            .await;
        payload["order"]["id"].as_str().unwrap().to_owned()
    }

    fn refunded(&self) -> i64 {
        self.bank.refunds.lock().unwrap().values().sum()
    }

    /// What the last event of an order says returns.
    async fn returned(&self, order: &str) -> Value {
        sqlx::query_scalar(
            "select payload -> 'returned' from outbox where aggregate_id = $1 order by position desc limit 1",
        )
        .bind(order)
        .fetch_one(&mut self.database().await)
        .await
        .unwrap_or_default()
    }
}

/// The merchant is one person, whose keys are their own.
fn merchant() -> Caller {
    Caller::User {
        id: UserId::from(uuid::Uuid::nil()),
        session: None,
        roles: vec!["merchant".into()],
        scopes: vec!["order:write".into()],
    }
}

fn lines(wanted: &[(&str, i64)]) -> Value {
    wanted
        .iter()
        .map(|(sku, quantity)| json!({ "sku": sku, "quantity": quantity }))
        .collect()
}

#[tokio::test]
async fn lines_are_refunded_in_part_then_in_full() {
    let shop = Shop::open(&without_sweeper()).await;
    let order = shop.paid().await;
    let first = shop
        .request_refund("r1", &order, lines(&[("COAT-M", 1), ("SCARF", 1)]))
        .await;
    assert_eq!(
        (&first["order"]["status"], &first["order"]["refunded"]["amount"]),
        (&json!("CONFIRMED"), &json!(14_899))
    );
    assert_eq!(
        first["order"]["lines"],
        json!([{ "refundedQuantity": 1 }, { "refundedQuantity": 1 }])
    );
    assert_eq!(
        (
            &first["refund"]["amount"]["amount"],
            &first["refund"]["status"],
            &first["refund"]["reason"]
        ),
        (&json!(14_899), &json!("PAID"), &json!("too small"))
    );
    assert_eq!(shop.returned(&order).await, lines(&[("COAT-M", 1), ("SCARF", 1)]));
    let again = shop
        .request_refund("r1", &order, lines(&[("COAT-M", 1), ("SCARF", 1)]))
        .await;
    assert_eq!((again, shop.refunded()), (first, 14_899), "repeated");

    let rest = shop.request_refund("r2", &order, Value::Null).await;
    assert_eq!(
        (&rest["order"]["status"], &rest["refund"]["amount"]["amount"]),
        (&json!("REFUNDED"), &json!(2 * 12_900 + 1_999))
    );
    assert_eq!(shop.refunded(), 3 * 12_900 + 2 * 1_999);
    assert_eq!(
        error(&shop.request_refund("r3", &order, Value::Null).await),
        ("ORDER_NOT_REFUNDABLE", "orderId")
    );
    assert_eq!(
        error(&shop.cancel("c", &order).await),
        ("ORDER_NOT_CANCELLABLE", "orderId")
    );
}

#[tokio::test]
async fn more_than_was_paid_is_not_refunded() {
    let mut shop = Shop::open(&without_sweeper()).await;
    let order = shop.paid().await;
    let pending = shop.purchase("pending", &[("COAT-M", 1)], "tok_timeout").await;
    let cases = [
        (
            &*order,
            lines(&[("COAT-M", 4)]),
            ("REFUND_EXCEEDS_PAID", "lines.0.quantity"),
        ),
        (
            &*order,
            lines(&[("COAT-M", 2), ("COAT-M", 2)]),
            ("REFUND_EXCEEDS_PAID", "lines.0.quantity"),
        ),
        (&*order, lines(&[("HAT", 1)]), ("UNKNOWN_SKU", "lines.0.sku")),
        (
            &*order,
            lines(&[("COAT-M", 0)]),
            ("INVALID_INPUT", "lines.0.quantity"),
        ),
        (
            &*order,
            lines(&[("COAT-M", -1)]),
            ("INVALID_INPUT", "lines.0.quantity"),
        ),
        (&*order, json!([]), ("INVALID_INPUT", "lines")),
        (
            pending["order"]["id"].as_str().unwrap(),
            Value::Null,
            ("ORDER_NOT_REFUNDABLE", "orderId"),
        ),
        (
            &OrderId::new().to_string(),
            Value::Null,
            ("ORDER_NOT_FOUND", "orderId"),
        ),
    ];
    for (index, (order, lines, expected)) in cases.into_iter().enumerate() {
        let payload = shop.request_refund(&format!("k{index}"), order, lines).await;
        assert_eq!((error(&payload), &payload["refund"]), (expected, &Value::Null));
    }
    shop.customer = UserId::new();
    assert_eq!(
        error(&shop.request_refund("theirs", &order, Value::Null).await).0,
        "ORDER_NOT_FOUND"
    );
    assert_eq!(shop.refunded(), 0);
}

#[tokio::test]
async fn concurrent_refunds_never_exceed_what_was_paid() {
    let shop = Shop::open(&without_sweeper()).await;
    let order = shop.paid().await;
    let keys: Vec<_> = (0..8).map(|key| format!("r{key}")).collect();
    let answers = futures::future::join_all(
        keys.iter()
            .map(|key| shop.try_refund(key, &order, lines(&[("COAT-M", 1)]))),
    )
    .await;
    let granted = answers
        .iter()
        .filter(|answer| answer["data"]["requestRefund"]["refund"].is_object())
        .count();
    assert!((1..=3).contains(&granted), "{answers:?}");
    assert_eq!(shop.refunded(), 12_900 * i64::try_from(granted).unwrap());
}

impl Shop {
    /// Too many changes at once may end in a fault, which can be tried again.
    async fn try_refund(&self, key: &str, order: &str, lines: Value) -> Value {
        let input = json!({ "orderId": order, "idempotencyKey": key, "lines": lines });
        let query = "mutation ($input: RequestRefundInput!) { requestRefund(input: $input) { refund { id } userErrors { code } } }";
        self.call(query, json!({ "input": input })).await
    }
}

#[tokio::test]
async fn a_refund_that_payment_did_not_hear_of_is_paid_by_the_sweeper() {
    let shop = Shop::open(&with_sweeper()).await;
    let order = shop.paid().await;
    shop.payment_switch.set(Fault::Refuse);
    let granted = shop.request_refund("r", &order, lines(&[("SCARF", 1)])).await;
    assert_eq!(granted["refund"]["status"], "PENDING");
    shop.payment_switch.set(Fault::None);
    for _ in 0..100 {
        if shop.request_refund("r", &order, lines(&[("SCARF", 1)])).await["refund"]["status"] == "PAID" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!((shop.refunded(), shop.refunds()), (1_999, 1));
    // What is left goes back when the rest is called off.
    shop.cancel("c", &order).await;
    assert_eq!(shop.refunded(), 3 * 12_900 + 2 * 1_999);
}

#[tokio::test]
async fn a_merchant_sends_what_is_paid() {
    let shop = Shop::open(&without_sweeper()).await;
    let order = shop.paid().await;
    let sent = shop.fulfil("f", &order).await;
    assert_eq!(
        sent["order"],
        json!({ "status": "FULFILLED", "trackingCode": "T1" })
    );
    assert_eq!(shop.fulfil("f", &order).await, sent, "repeated");
    assert_eq!(
        error(&shop.fulfil("f2", &order).await),
        ("ORDER_NOT_FULFILLABLE", "orderId")
    );
    assert_eq!(
        error(&shop.fulfil("f3", &OrderId::new().to_string()).await),
        ("ORDER_NOT_FOUND", "orderId")
    );
    assert_eq!(
        error(&shop.cancel("c", &order).await),
        ("ORDER_NOT_CANCELLABLE", "orderId")
    );

    let refunded = shop.request_refund("r", &order, Value::Null).await;
    assert_eq!(refunded["order"]["status"], "REFUNDED");
    assert_eq!(
        shop.returned(&order).await,
        Value::Null,
        "what was sent does not return to the stock"
    );

    let query = "query ($id: ID!) { order(id: $id) { history { event from to } refunds { status amount { amount } } } }";
    let answer = shop.call(query, json!({ "id": order })).await;
    let shown = &answer["data"]["order"];
    let entry = |event: &str, from: Value, to: &str| json!({ "event": event, "from": from, "to": to });
    assert_eq!(
        shown["history"],
        json!([
            entry("PLACED", Value::Null, "PENDING"),
            entry("PAYMENT_CAPTURED", json!("PENDING"), "CONFIRMED"),
            entry("FULFILLED", json!("CONFIRMED"), "FULFILLED"),
            entry("REFUNDED", json!("FULFILLED"), "REFUNDED"),
        ])
    );
    assert_eq!(
        shown["refunds"],
        json!([{ "status": "PAID", "amount": { "amount": 42_698 } }])
    );
}

#[tokio::test]
async fn customers_do_not_send() {
    let shop = Shop::open(&without_sweeper()).await;
    let order = shop.paid().await;
    let query = "mutation ($input: FulfillOrderInput!) { fulfillOrder(input: $input) { order { id } } }";
    let answer = shop
        .call(
            query,
            json!({ "input": { "orderId": order, "idempotencyKey": "f" } }),
        )
        .await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{answer}");
}

#[tokio::test]
async fn orders_are_listed_by_status() {
    let shop = Shop::open(&without_sweeper()).await;
    let (first, second) = (shop.buy("a").await, shop.buy("b").await);
    shop.cancel("c", &first).await;
    let query =
        "query ($status: [OrderStatus!]) { orders(filter: { status: $status }) { edges { node { id } } } }";
    for (status, expected) in [
        (json!(["CONFIRMED"]), json!([second])),
        (json!(["CANCELLED"]), json!([first])),
        (json!(["CONFIRMED", "CANCELLED"]), json!([second, first])),
        (json!(["DRAFT"]), json!([])),
        (Value::Null, json!([second, first])),
    ] {
        let answer = shop.call(query, json!({ "status": status })).await;
        let edges = answer["data"]["orders"]["edges"].as_array().unwrap();
        let ids: Vec<_> = edges.iter().map(|edge| edge["node"]["id"].clone()).collect();
        assert_eq!(json!(ids), expected, "{status}");
    }
}
