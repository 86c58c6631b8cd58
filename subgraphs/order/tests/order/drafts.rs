//! Drafts: put together, changed, bought; everything about them that can be wrong.

use fondaco_contracts::{OrderId, UserId};
use serde_json::{Value, json};

use crate::{
    peers::Fault,
    shop::{Shop, error, without_sweeper},
};

const ORDER: &str =
    "order { id status total { amount } lines { quantity unitPrice { amount } variant { sku } } }";

impl Shop {
    async fn create(&self, key: &str, lines: Value) -> Value {
        let input = json!({ "idempotencyKey": key, "lines": lines });
        self.mutate("createOrder", "CreateOrderInput", ORDER, input).await
    }

    async fn add(&self, key: &str, order: &str, lines: Value) -> Value {
        let input = json!({ "idempotencyKey": key, "orderId": order, "lines": lines });
        self.mutate("addOrderItems", "AddOrderItemsInput", ORDER, input)
            .await
    }

    async fn update(&self, order: &str, sku: &str, quantity: i64) -> Value {
        let input = json!({ "orderId": order, "sku": sku, "quantity": quantity });
        self.mutate("updateOrderItem", "UpdateOrderItemInput", ORDER, input)
            .await
    }

    async fn buy_draft(&self, key: &str, order: &str, token: &str) -> Value {
        let input = json!({ "idempotencyKey": key, "orderId": order, "paymentToken": token });
        self.mutate("purchase", "PurchaseInput", ORDER, input).await
    }

    /// The id of a draft of one coat.
    async fn draft(&self) -> String {
        let payload = self.create(&UserId::new().to_string(), coats(1)).await;
        payload["order"]["id"].as_str().unwrap().to_owned()
    }
}

fn coats(quantity: i64) -> Value {
    json!([{ "sku": "COAT-M", "quantity": quantity }])
}

#[tokio::test]
async fn a_draft_is_put_together_and_bought_at_the_prices_of_that_time() {
    let shop = Shop::open(&without_sweeper()).await;
    let created = shop
        .create(
            "c",
            json!([{ "sku": "COAT-M", "quantity": 1 }, { "sku": "COAT-M", "quantity": 1 }]),
        )
        .await;
    let order = created["order"]["id"].as_str().unwrap();
    assert_eq!(
        (&created["order"]["status"], &created["order"]["total"]["amount"]),
        (&json!("DRAFT"), &json!(25_800))
    );
    assert_eq!(shop.create("c", coats(2)).await, created, "repeated");

    let added = shop
        .add(
            "a",
            order,
            json!([{ "sku": "SCARF", "quantity": 3 }, { "sku": "COAT-M", "quantity": 1 }]),
        )
        .await;
    assert_eq!(added["order"]["total"]["amount"], 3 * 12_900 + 3 * 1_999);
    let again = shop
        .add(
            "a",
            order,
            json!([{ "sku": "SCARF", "quantity": 3 }, { "sku": "COAT-M", "quantity": 1 }]),
        )
        .await;
    assert_eq!(again, added, "repeated");
    assert_eq!(
        shop.update(order, "COAT-M", 1).await["order"]["total"]["amount"],
        12_900 + 3 * 1_999
    );
    let updated = shop.update(order, "SCARF", 0).await;
    assert_eq!(
        updated["order"]["lines"],
        json!([{ "quantity": 1, "unitPrice": { "amount": 12_900 }, "variant": { "sku": "COAT-M" } }])
    );
    assert_eq!(
        (shop.stock("COAT-M"), shop.charges()),
        (10, 0),
        "a draft holds nothing"
    );

    shop.sell("COAT-M", 11_000, Value::Null, 10);
    tokio::time::sleep(std::time::Duration::from_millis(150)).await;
    let bought = shop.buy_draft("b", order, "tok_success").await;
    assert_eq!(
        (&bought["order"]["id"], &bought["order"]["status"]),
        (&json!(order), &json!("CONFIRMED"))
    );
    assert_eq!(bought["order"]["total"]["amount"], 11_000);
    assert_eq!(bought["order"]["lines"][0]["unitPrice"]["amount"], 11_000);
    assert_eq!(
        shop.buy_draft("b", order, "tok_success").await,
        bought,
        "repeated"
    );
    assert_eq!((shop.stock("COAT-M"), shop.charges()), (9, 1));
    assert_eq!(
        shop.events(order).await,
        ["OrderDrafted", "OrderCreated", "OrderConfirmed"]
    );
}

/// What one mutation of a request loads does not answer for the next.
#[tokio::test]
async fn two_changes_in_one_request_show_each_its_own_lines() {
    let shop = Shop::open(&without_sweeper()).await;
    let order = shop.draft().await;
    let query = "mutation ($a: UpdateOrderItemInput!, $b: UpdateOrderItemInput!) {
        a: updateOrderItem(input: $a) { order { lines { quantity } } }
        b: updateOrderItem(input: $b) { order { lines { quantity } } } }";
    let input = |quantity| json!({ "orderId": order, "sku": "COAT-M", "quantity": quantity });
    let answer = shop.call(query, json!({ "a": input(4), "b": input(7) })).await;
    for (field, quantity) in [("a", 4), ("b", 7)] {
        assert_eq!(
            answer["data"][field]["order"]["lines"][0]["quantity"], quantity,
            "{answer}"
        );
    }
}

#[tokio::test]
async fn a_draft_that_was_sold_out_can_be_tried_again() {
    let shop = Shop::open(&without_sweeper()).await;
    let order = shop.draft().await;
    shop.update(&order, "COAT-M", 11).await;
    let refused = shop.buy_draft("b", &order, "tok_success").await;
    assert_eq!(error(&refused), ("SOLD_OUT", "orderId"));
    assert_eq!(
        shop.buy_draft("b", &order, "tok_success").await,
        refused,
        "repeated"
    );
    shop.update(&order, "COAT-M", 10).await;
    assert_eq!(
        shop.buy_draft("b2", &order, "tok_success").await["order"]["status"],
        "CONFIRMED"
    );
    assert_eq!((shop.stock("COAT-M"), shop.charges()), (0, 1));
}

#[tokio::test]
async fn a_draft_is_bought_once_however_many_keys_try() {
    let shop = Shop::open(&without_sweeper()).await;
    let order = shop.draft().await;
    let keys: Vec<_> = (0..10).map(|key| format!("b{key}")).collect();
    let answers =
        futures::future::join_all(keys.iter().map(|key| shop.buy_draft(key, &order, "tok_success"))).await;
    let bought = answers
        .iter()
        .filter(|answer| answer["order"]["status"] == "CONFIRMED")
        .count();
    let refused = answers
        .iter()
        .filter(|answer| {
            ["ORDER_CHANGED", "ORDER_NOT_EDITABLE"]
                .contains(&answer["userErrors"][0]["code"].as_str().unwrap_or_default())
        })
        .count();
    assert_eq!((bought, refused), (1, 9), "{answers:?}");
    assert_eq!((shop.stock("COAT-M"), shop.charges()), (9, 1));
}

#[tokio::test]
async fn a_draft_that_changes_while_it_is_bought_is_not_bought() {
    let shop = Shop::open(&without_sweeper()).await;
    let order = shop.draft().await;
    shop.inventory_switch.set(Fault::LoseReply);
    let lost = shop
        .call(
            "mutation ($input: PurchaseInput!) { purchase(input: $input) { order { id } } }",
            json!({ "input": { "idempotencyKey": "b", "orderId": order, "paymentToken": "tok_success" } }),
        )
        .await;
    assert_eq!(lost["errors"][0]["extensions"]["code"], "TEMPORARILY_UNAVAILABLE");
    shop.inventory_switch.set(Fault::None);
    shop.update(&order, "COAT-M", 3).await;
    // The same key again: the old hold is given back, the new lines are held.
    let bought = shop.buy_draft("b", &order, "tok_success").await;
    assert_eq!(
        (&bought["order"]["status"], &bought["order"]["total"]["amount"]),
        (&json!("CONFIRMED"), &json!(38_700))
    );
    assert_eq!(shop.stock("COAT-M"), 7);
}

#[tokio::test]
async fn what_is_no_draft_of_the_caller_stays_as_it_is() {
    let mut shop = Shop::open(&without_sweeper()).await;
    let (order, bought) = (shop.draft().await, shop.buy("buy").await);
    let owner = std::mem::replace(&mut shop.customer, UserId::new());
    for id in [order.clone(), bought.clone(), OrderId::new().to_string()] {
        check(&shop, &id, "ORDER_NOT_FOUND").await;
    }
    shop.customer = owner;
    check(&shop, &bought, "ORDER_NOT_EDITABLE").await;
    assert_eq!(
        shop.cancel("cancel", &order).await["order"]["status"],
        "CANCELLED"
    );
    assert_eq!(shop.refunds(), 0, "nothing was paid");
    check(&shop, &order, "ORDER_NOT_EDITABLE").await;
}

async fn check(shop: &Shop, order: &str, code: &str) {
    let key = UserId::new().to_string();
    assert_eq!(error(&shop.add(&key, order, coats(1)).await), (code, "orderId"));
    assert_eq!(error(&shop.update(order, "COAT-M", 2).await), (code, "orderId"));
    assert_eq!(
        error(&shop.buy_draft(&key, order, "tok_success").await),
        (code, "orderId")
    );
}

#[tokio::test]
async fn unusable_lines_and_keys_are_refused() {
    let shop = Shop::open(&without_sweeper()).await;
    let order = shop.draft().await;
    let cases = [
        (json!([]), ("INVALID_INPUT", "lines")),
        (coats(0), ("INVALID_INPUT", "lines.0.quantity")),
        (coats(-1), ("INVALID_INPUT", "lines.0.quantity")),
        (coats(1001), ("INVALID_INPUT", "lines.0.quantity")),
        (
            json!([{ "sku": "NO-SUCH", "quantity": 1 }]),
            ("UNKNOWN_SKU", "lines.0.sku"),
        ),
    ];
    for (index, (lines, expected)) in cases.into_iter().enumerate() {
        assert_eq!(error(&shop.create(&format!("k{index}"), lines).await), expected);
    }
    assert_eq!(
        error(&shop.create("", coats(1)).await),
        ("INVALID_INPUT", "idempotencyKey")
    );
    assert_eq!(
        error(&shop.add("a", &order, coats(1000)).await),
        ("INVALID_INPUT", "lines.0.quantity"),
        "with what is there"
    );
    assert_eq!(
        error(&shop.update(&order, "SCARF", 1).await),
        ("UNKNOWN_SKU", "sku")
    );
    assert_eq!(
        error(&shop.update(&order, "COAT-M", -1).await),
        ("INVALID_INPUT", "quantity")
    );
    assert_eq!(
        error(&shop.update(&order, "COAT-M", 0).await),
        ("INVALID_INPUT", "quantity"),
        "the last line"
    );
    shop.create("used", coats(1)).await;
    assert_eq!(
        error(&shop.create("used", coats(2)).await),
        ("IDEMPOTENCY_KEY_REUSED", "idempotencyKey")
    );
    assert_eq!(
        error(&shop.add("used", &order, coats(1)).await),
        ("IDEMPOTENCY_KEY_REUSED", "idempotencyKey")
    );
    let unclear = json!({ "idempotencyKey": "u", "paymentToken": "tok_success" });
    let unclear = shop.mutate("purchase", "PurchaseInput", ORDER, unclear).await;
    assert_eq!(error(&unclear).0, "INVALID_INPUT");
}
