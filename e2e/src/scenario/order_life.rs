//! An order's life: put together as a draft, bought, refunded in part, sent, refunded in full; a wishlist that is bought; an order that is
//! called off; and the list of them all.

use serde_json::{Value, json};

use crate::platform::Platform;
use crate::shop::{self, Shopper, Variant};

const ORDER: &str =
    "order { id status total { amount } refunded { amount } payment { status refunded { amount } }
    lines { quantity refundedQuantity variant { sku product { name } } } history { event to } }";

/// Tells the story.
pub async fn run(platform: &Platform) {
    let client = platform.client();
    let (merchant, shopper) = (shop::merchant(&client).await, shop::sign_up(&client).await);
    let variants = shop::variants(&client).await;
    let mut plain = variants.iter().filter(|variant| !variant.drop).skip(5);
    let (first, second) = (plain.next().unwrap(), plain.next().unwrap());
    for variant in [first, second] {
        shop::set_stock(&merchant, variant, 10).await;
    }
    let order = draft(&shopper, first, second).await;
    buy(&shopper, &order, first, second).await;
    after_sale(&shopper, &merchant, &order, first, second).await;
    wishlist(&shopper, first).await;
    cancel(&shopper, first).await;
    pages(&shopper).await;
}

async fn draft(shopper: &Shopper, first: &Variant, second: &Variant) -> String {
    let input = json!({ "idempotencyKey": "draft", "lines": [{ "sku": first.sku, "quantity": 1 }] });
    let created = mutate(shopper, "createOrder", "CreateOrderInput", ORDER, input).await;
    let order = created["order"]["id"].as_str().unwrap().to_owned();
    assert_eq!(created["order"]["status"], "DRAFT");
    let lines = json!([{ "sku": second.sku, "quantity": 5 }, { "sku": first.sku, "quantity": 2 }]);
    let input = json!({ "idempotencyKey": "more", "orderId": order, "lines": lines });
    mutate(shopper, "addOrderItems", "AddOrderItemsInput", ORDER, input).await;
    let input = json!({ "orderId": order, "sku": second.sku, "quantity": 2 });
    let updated = mutate(shopper, "updateOrderItem", "UpdateOrderItemInput", ORDER, input).await;
    assert_eq!(
        updated["order"]["total"]["amount"],
        3 * first.price + 2 * second.price
    );
    shop::expect_available(&shopper.client, first, 10).await;
    order
}

async fn buy(shopper: &Shopper, order: &str, first: &Variant, second: &Variant) {
    let input = json!({ "idempotencyKey": "buy", "orderId": order, "paymentToken": "tok_success" });
    let bought = mutate(shopper, "purchase", "PurchaseInput", ORDER, input.clone()).await;
    assert_eq!(bought["order"]["id"], order);
    assert_eq!(bought["order"]["status"], "CONFIRMED");
    assert_eq!(
        mutate(shopper, "purchase", "PurchaseInput", ORDER, input).await,
        bought
    );
    shop::expect_available(&shopper.client, first, 7).await;
    shop::expect_available(&shopper.client, second, 8).await;
}

async fn after_sale(shopper: &Shopper, merchant: &Shopper, order: &str, first: &Variant, second: &Variant) {
    let lines = json!([{ "sku": first.sku, "quantity": 1 }]);
    let input = json!({ "idempotencyKey": "back", "orderId": order, "lines": lines });
    let refunded = mutate(shopper, "requestRefund", "RequestRefundInput", ORDER, input).await;
    assert_eq!(
        refunded["order"]["payment"]["status"], "PARTIALLY_REFUNDED",
        "{refunded}"
    );
    assert_eq!(refunded["order"]["payment"]["refunded"]["amount"], first.price);
    shop::expect_available(&shopper.client, first, 8).await;

    let input = json!({ "idempotencyKey": format!("send {order}"), "orderId": order, "trackingCode": "1Z" });
    let sent = mutate(
        merchant,
        "fulfillOrder",
        "FulfillOrderInput",
        "order { status }",
        input,
    )
    .await;
    assert_eq!(sent["order"]["status"], "FULFILLED");

    let input = json!({ "idempotencyKey": "all back", "orderId": order });
    let rest = mutate(shopper, "requestRefund", "RequestRefundInput", ORDER, input).await;
    assert_eq!(rest["order"]["status"], "REFUNDED", "{rest}");
    assert_eq!(rest["order"]["refunded"], rest["order"]["total"]);
    assert_eq!(rest["order"]["payment"]["status"], "REFUNDED");
    let events: Vec<_> = rest["order"]["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["event"].clone())
        .collect();
    assert_eq!(
        json!(events),
        json!([
            "DRAFTED",
            "PLACED",
            "PAYMENT_CAPTURED",
            "PARTLY_REFUNDED",
            "FULFILLED",
            "REFUNDED"
        ])
    );
    shop::expect_available(&shopper.client, first, 8).await;
    shop::expect_available(&shopper.client, second, 8).await;
}

async fn wishlist(shopper: &Shopper, variant: &Variant) {
    let wishes = "wishlist { items { quantity variant { sku product { name } } } }";
    let input = json!({ "sku": variant.sku, "quantity": 2 });
    let added = mutate(shopper, "addToWishlist", "WishlistItemInput", wishes, input).await;
    assert!(
        added["wishlist"]["items"][0]["variant"]["product"]["name"].is_string(),
        "{added}"
    );
    let input = json!({ "idempotencyKey": "wishes", "wishlist": true, "paymentToken": "tok_success" });
    let bought = mutate(shopper, "purchase", "PurchaseInput", ORDER, input).await;
    assert_eq!(bought["order"]["total"]["amount"], 2 * variant.price);
    let listed = shopper
        .client
        .query("{ wishlist { items { quantity } } orders(filter: { status: [CONFIRMED] }) { edges { node { id } } } }", json!({}))
        .await
        .unwrap();
    assert_eq!(listed.expect_data()["wishlist"]["items"], json!([]));
    assert_eq!(
        listed.data()["orders"]["edges"],
        json!([{ "node": { "id": bought["order"]["id"] } }])
    );
}

async fn cancel(shopper: &Shopper, variant: &Variant) {
    let before = shop::available(&shopper.client, variant).await;
    let bought = shop::buy_one(shopper, &variant.sku).await;
    let id = bought.expect_data()["purchase"]["order"]["id"].clone();
    let input = json!({ "idempotencyKey": "call off", "orderId": id });
    let cancelled = mutate(shopper, "cancelOrder", "CancelOrderInput", ORDER, input.clone()).await;
    assert_eq!(cancelled["order"]["status"], "CANCELLED", "{cancelled}");
    assert_eq!(cancelled["order"]["payment"]["status"], "REFUNDED", "{cancelled}");
    assert_eq!(
        mutate(shopper, "cancelOrder", "CancelOrderInput", ORDER, input).await,
        cancelled
    );
    shop::expect_available(&shopper.client, variant, before).await;
}

/// The same orders from the newest to the oldest and back, in the list and at the user.
async fn pages(shopper: &Shopper) {
    let newest_first = walk(shopper, "first", "after", "endCursor", "hasNextPage").await;
    let mut oldest_first = walk(shopper, "last", "before", "startCursor", "hasPreviousPage").await;
    assert_eq!(newest_first.len(), 3, "{newest_first:?}");
    oldest_first.reverse();
    assert_eq!(oldest_first, newest_first);
    let query = "{ me { orders(last: 2) { edges { node { id status } } } } orders(filter: { status: [CANCELLED, REFUNDED] }) { edges { node { status } } } }";
    let answer = shopper.client.query(query, json!({})).await.unwrap();
    let of_user = answer.expect_data()["me"]["orders"]["edges"].as_array().unwrap();
    let ids: Vec<_> = of_user.iter().map(|edge| edge["node"]["id"].clone()).collect();
    assert_eq!(ids, newest_first[1..]);
    let filtered = json!([{ "node": { "status": "CANCELLED" } }, { "node": { "status": "REFUNDED" } }]);
    assert_eq!(answer.data()["orders"]["edges"], filtered);
}

/// The ids of all orders, a page of one at a time.
async fn walk(shopper: &Shopper, count: &str, from: &str, cursor: &str, more: &str) -> Vec<Value> {
    let query = format!(
        "query Page($from: String) {{ orders({count}: 1, {from}: $from) {{ edges {{ node {{ id }} }} pageInfo {{ {cursor} {more} }} }} }}"
    );
    let (mut ids, mut next) = (Vec::new(), Value::Null);
    loop {
        let answer = shopper
            .client
            .query(&query, json!({ "from": next }))
            .await
            .unwrap();
        let page = &answer.expect_data()["orders"];
        ids.push(page["edges"][0]["node"]["id"].clone());
        next = page["pageInfo"][cursor].clone();
        if page["pageInfo"][more] == false {
            return ids;
        }
    }
}

/// The payload of a mutation whose only argument is `input`, which must go well.
async fn mutate(shopper: &Shopper, field: &str, kind: &str, selection: &str, input: Value) -> Value {
    let query = format!(
        "mutation M($input: {kind}!) {{ {field}(input: $input) {{ {selection} userErrors {{ code message }} }} }}"
    );
    let answer = shopper
        .client
        .query(&query, json!({ "input": input }))
        .await
        .unwrap();
    let payload = answer.expect_data()[field].clone();
    assert_eq!(payload["userErrors"], json!([]), "{field}: {payload}");
    payload
}
