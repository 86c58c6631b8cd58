//! A limited drop: nobody gets more than their share, in however many orders, and nothing before the sale begins.

use serde_json::{Value, json};

use crate::client::Client;
use crate::platform::Platform;
use crate::shop::{self, Shopper, Variant};

const DROPS: &str = r#"{ products(first: 60, filter: { inDrop: true }) { edges { node { variants { sku drop { startsAt perCustomerLimit } } } } } }"#;

/// Tells the story.
pub async fn run(platform: &Platform) {
    let client = platform.client();
    let (merchant, shopper) = (shop::merchant(&client).await, shop::sign_up(&client).await);
    let variants = shop::variants(&client).await;
    let variant = variants.iter().rfind(|variant| variant.drop).unwrap();
    let drops = drops(&client).await;
    let limit = drops
        .iter()
        .find(|drop| drop["sku"] == variant.sku.as_str())
        .unwrap()["drop"]["perCustomerLimit"]
        .as_i64()
        .unwrap();
    shop::set_stock(&merchant, variant, 20).await;

    check(&shopper, variant, limit + 1, "too-many", "LIMIT_EXCEEDED").await;
    for order in 0..limit {
        check(&shopper, variant, 1, &format!("share-{order}"), "").await;
    }
    check(&shopper, variant, 1, "one-more", "LIMIT_EXCEEDED").await;
    // A second customer is not concerned, and what was refused is still there.
    check(&shop::sign_up(&client).await, variant, limit, "share", "").await;
    shop::expect_available(&client, variant, 20 - 2 * u64::try_from(limit).unwrap()).await;

    let answer = shop::buy_one(&shopper, &shop::not_begun(&client).await).await;
    assert_eq!(
        shop::user_error(&answer, "purchase"),
        "SALE_NOT_STARTED",
        "{}",
        answer.body
    );
}

async fn check(shopper: &Shopper, variant: &Variant, quantity: i64, key: &str, code: &str) {
    let answer = shop::purchase(shopper, &variant.sku, quantity, "tok_success", key).await;
    assert_eq!(
        shop::user_error(&answer, "purchase"),
        code,
        "{key}: {}",
        answer.body
    );
}

async fn drops(client: &Client) -> Vec<Value> {
    let answer = client.query(DROPS, json!({})).await.unwrap();
    let edges = answer.expect_data()["products"]["edges"]
        .as_array()
        .unwrap()
        .clone();
    let variants = edges
        .iter()
        .flat_map(|edge| edge["node"]["variants"].as_array().unwrap());
    variants
        .filter(|variant| !variant["drop"].is_null())
        .cloned()
        .collect()
}
