//! Wishlists: changed, bought, emptied of what was paid.

use fondaco_contracts::UserId;
use serde_json::{Value, json};

use crate::shop::{Shop, error, without_sweeper};

const WISHLIST: &str = "wishlist { items { quantity variant { sku } } }";

impl Shop {
    async fn wish(&self, field: &str, kind: &str, input: Value) -> Value {
        self.mutate(field, kind, WISHLIST, input).await
    }

    async fn add_to_wishlist(&self, sku: &str, quantity: i64) -> Value {
        let input = json!({ "sku": sku, "quantity": quantity });
        self.wish("addToWishlist", "WishlistItemInput", input).await
    }

    async fn buy_wishlist(&self, key: &str, token: &str) -> Value {
        let input = json!({ "idempotencyKey": key, "wishlist": true, "paymentToken": token });
        self.mutate(
            "purchase",
            "PurchaseInput",
            "order { id status total { amount } }",
            input,
        )
        .await
    }

    /// SKUs and quantities.
    async fn wishes(&self) -> Vec<(String, i64)> {
        let answer = self
            .call("{ wishlist { items { quantity variant { sku } } } }", json!({}))
            .await;
        let items = answer["data"]["wishlist"]["items"].as_array().unwrap().clone();
        let item = |item: &Value| {
            (
                item["variant"]["sku"].as_str().unwrap().to_owned(),
                item["quantity"].as_i64().unwrap(),
            )
        };
        items.iter().map(item).collect()
    }
}

fn wishes(expected: &[(&str, i64)]) -> Vec<(String, i64)> {
    expected
        .iter()
        .map(|(sku, quantity)| ((*sku).to_owned(), *quantity))
        .collect()
}

#[tokio::test]
async fn a_wishlist_is_changed_by_its_owner_alone() {
    let mut shop = Shop::open(&without_sweeper()).await;
    shop.add_to_wishlist("COAT-M", 1).await;
    let payload = shop.add_to_wishlist("SCARF", 2).await;
    assert_eq!(
        payload["wishlist"]["items"][1],
        json!({ "quantity": 2, "variant": { "sku": "SCARF" } })
    );
    shop.add_to_wishlist("COAT-M", 3).await;
    assert_eq!(
        shop.wishes().await,
        wishes(&[("COAT-M", 3), ("SCARF", 2)]),
        "repeating sets the quantity"
    );
    shop.wish(
        "updateWishlistItem",
        "WishlistItemInput",
        json!({ "sku": "SCARF", "quantity": 5 }),
    )
    .await;
    shop.wish(
        "removeFromWishlist",
        "RemoveFromWishlistInput",
        json!({ "sku": "COAT-M" }),
    )
    .await;
    assert_eq!(shop.wishes().await, wishes(&[("SCARF", 5)]));

    assert_eq!(
        error(&shop.add_to_wishlist("NO-SUCH", 1).await),
        ("UNKNOWN_SKU", "sku")
    );
    for quantity in [0, -1, 1001] {
        assert_eq!(
            error(&shop.add_to_wishlist("SCARF", quantity).await),
            ("INVALID_INPUT", "quantity")
        );
    }
    let absent = shop
        .wish(
            "updateWishlistItem",
            "WishlistItemInput",
            json!({ "sku": "COAT-M" }),
        )
        .await;
    assert_eq!(error(&absent), ("NOT_FOUND", "sku"));
    let absent = shop
        .wish(
            "removeFromWishlist",
            "RemoveFromWishlistInput",
            json!({ "sku": "COAT-M" }),
        )
        .await;
    assert_eq!(error(&absent), ("NOT_FOUND", "sku"));
    shop.customer = UserId::new();
    assert_eq!(shop.wishes().await, []);
}

#[tokio::test]
async fn a_wishlist_has_an_end() {
    let shop = Shop::open(&without_sweeper()).await;
    for number in 0..51 {
        shop.sell(&format!("S{number}"), 100, Value::Null, 1);
    }
    for number in 0..50 {
        assert_eq!(
            shop.add_to_wishlist(&format!("S{number}"), 1).await["userErrors"],
            json!([])
        );
    }
    assert_eq!(
        error(&shop.add_to_wishlist("S50", 1).await),
        ("LIMIT_EXCEEDED", "sku")
    );
    assert_eq!(
        shop.add_to_wishlist("S49", 2).await["userErrors"],
        json!([]),
        "what is there can change"
    );
}

#[tokio::test]
async fn what_is_paid_leaves_the_wishlist() {
    let shop = Shop::open(&without_sweeper()).await;
    assert_eq!(
        error(&shop.buy_wishlist("empty", "tok_success").await),
        ("INVALID_INPUT", "wishlist")
    );
    shop.add_to_wishlist("COAT-M", 2).await;
    shop.add_to_wishlist("SCARF", 1).await;
    let declined = shop.buy_wishlist("declined", "tok_declined").await;
    assert_eq!(error(&declined).0, "PAYMENT_DECLINED");
    assert_eq!(shop.wishes().await.len(), 2, "nothing was paid");

    // Any other purchase leaves it alone.
    shop.buy("coat").await;
    assert_eq!(shop.wishes().await.len(), 2);

    let bought = shop.buy_wishlist("b", "tok_success").await;
    assert_eq!(
        (&bought["order"]["status"], &bought["order"]["total"]["amount"]),
        (&json!("CONFIRMED"), &json!(2 * 12_900 + 1_999))
    );
    assert_eq!(shop.wishes().await, []);
    shop.add_to_wishlist("SCARF", 1).await;
    assert_eq!(shop.buy_wishlist("b", "tok_success").await, bought, "repeated");
    assert_eq!(shop.wishes().await, wishes(&[("SCARF", 1)]));
    assert_eq!((shop.stock("COAT-M"), shop.stock("SCARF")), (7, 9));
}
