//! Adjusting totals.

use fondaco_chassis::{Caller, testing::customer};
use fondaco_contracts::{OrderId, UserId};
use serde_json::{Value, json};

use crate::{Warehouse, merchant};

const ADJUST: &str = "mutation($input: AdjustStockInput!) { adjustStock(input: $input) {
    stock { total } userErrors { code field } } }";

#[tokio::test]
async fn a_total_never_falls_below_what_is_promised() {
    let warehouse = Warehouse::open().await;
    warehouse.stocked("A", 10).await;
    let sold = OrderId::new();
    warehouse.reserve(sold, &[("A", 3)]).await;
    warehouse.settle("confirmStock", sold).await;
    warehouse.reserve(OrderId::new(), &[("A", 4)]).await;
    let refused = warehouse.adjust("A", -4, "too much").await;
    assert_eq!(
        refused["userErrors"],
        json!([{ "code": "INVALID_INPUT", "field": "delta" }])
    );
    let taken = warehouse.adjust("A", -3, "all that is left").await;
    assert_eq!(
        taken["stock"],
        json!({ "sku": "A", "available": 0, "total": 7, "sold": 3, "held": 4 })
    );
    assert_eq!(warehouse.books("A").await, [0, 7, 3, 4, 0]);
    warehouse.stocked("A", 1).await;
    assert_eq!(warehouse.books("A").await, [1, 8, 3, 4, 1]);
}

#[tokio::test]
async fn a_key_adjusts_once() {
    let warehouse = Warehouse::open().await;
    let merchant = merchant();
    let adjust = async |delta: i64| {
        let input = json!({ "sku": "A", "delta": delta, "reason": "counted", "idempotencyKey": "k" });
        warehouse.data(&merchant, ADJUST, json!({ "input": input })).await["adjustStock"].clone()
    };
    let first = adjust(5).await;
    warehouse.stocked("A", 5).await;
    assert_eq!(adjust(5).await, first, "the first answer is replayed");
    assert_eq!(
        adjust(6).await["userErrors"],
        json!([{ "code": "IDEMPOTENCY_KEY_REUSED", "field": "idempotencyKey" }])
    );
    assert_eq!(warehouse.books("A").await, [10, 10, 0, 0, 10]);
}

#[tokio::test]
async fn what_can_be_put_right_is_a_user_error() {
    let warehouse = Warehouse::open().await;
    let check = async |change: Value, code: &str, field: &str| {
        let mut input =
            json!({ "sku": "A", "delta": 1, "reason": "counted", "idempotencyKey": UserId::new() });
        input
            .as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        let data = warehouse
            .data(&merchant(), ADJUST, json!({ "input": input }))
            .await;
        assert_eq!(
            data["adjustStock"],
            json!({ "stock": null, "userErrors": [{ "code": code, "field": field }] })
        );
    };
    check(json!({ "sku": "a b" }), "INVALID_INPUT", "sku").await;
    check(json!({ "delta": 0 }), "INVALID_INPUT", "delta").await;
    check(json!({ "reason": " " }), "INVALID_INPUT", "reason").await;
    check(json!({ "reason": "nul \u{0}" }), "INVALID_INPUT", "reason").await;
    check(json!({ "idempotencyKey": "" }), "INVALID_INPUT", "idempotencyKey").await;
    check(
        json!({ "idempotencyKey": "k".repeat(201) }),
        "INVALID_INPUT",
        "idempotencyKey",
    )
    .await;
    check(json!({ "delta": -1 }), "UNKNOWN_SKU", "sku").await;
    warehouse.stocked("A", i64::from(i32::MAX)).await;
    check(json!({}), "INVALID_INPUT", "delta").await;
}

#[tokio::test]
async fn stock_is_managed_by_merchants() {
    let warehouse = Warehouse::open().await;
    warehouse.stocked("A", 3).await;
    let input = json!({ "sku": "A", "delta": 1, "reason": "counted", "idempotencyKey": "k" });
    for (caller, code) in [
        (Caller::Anonymous, "UNAUTHENTICATED"),
        (customer(UserId::new()), "FORBIDDEN"),
    ] {
        let answer = warehouse.ask(&caller, ADJUST, json!({ "input": input })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], code);
        let figures = warehouse
            .ask(
                &caller,
                "{ stock(skus: [\"A\", \"B\"]) { available sold } }",
                json!({}),
            )
            .await;
        let stock = &figures["data"]["stock"];
        assert_eq!(
            (&stock[0]["available"], &stock[0]["sold"], &stock[1]),
            (&json!(3), &Value::Null, &Value::Null)
        );
        assert_eq!(figures["errors"][0]["extensions"]["code"], code);
    }
}
