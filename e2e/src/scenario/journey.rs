//! A shopper signs up, browses, buys, and sees the order with its payment in one query over all five subgraphs.

use serde_json::{Value, json};

use crate::platform::Platform;
use crate::shop;

/// Tells the story.
pub async fn run(platform: &Platform) {
    let client = platform.client();
    browse_signed_out(platform).await;
    let shopper = shop::sign_up(&client).await;
    let merchant = shop::merchant(&client).await;
    let variants = shop::variants(&client).await;
    assert!(
        variants.len() > 60,
        "the demo catalogue has {} variants",
        variants.len()
    );
    let variant = variants.iter().find(|variant| !variant.drop).unwrap();
    shop::set_stock(&merchant, variant, 7).await;

    let answer = shop::purchase(&shopper, &variant.sku, 2, "tok_success", "journey").await;
    let order = &answer.expect_data()["purchase"]["order"];
    assert_eq!(order["status"], "CONFIRMED", "{}", answer.body);
    assert_eq!(order["total"]["amount"], 2 * variant.price);
    assert_eq!(order["payment"]["status"], "CAPTURED");
    assert_eq!(order["payment"]["amount"]["amount"], 2 * variant.price);
    shop::expect_available(&client, variant, 5).await;

    // The same key again is the same purchase.
    let again = shop::purchase(&shopper, &variant.sku, 2, "tok_success", "journey").await;
    assert_eq!(again.expect_data()["purchase"]["order"]["id"], order["id"]);
    shop::expect_available(&client, variant, 5).await;
    home_shows(&shopper, order).await;
}

async fn browse_signed_out(platform: &Platform) {
    let answer = platform
        .client()
        .query(shop::HOME, json!({ "me": true }))
        .await
        .unwrap();
    let data = answer.expect_data();
    assert_eq!(data["me"], Value::Null, "signed out: {}", answer.body);
    let edges = data["products"]["edges"].as_array().unwrap();
    assert!(!edges.is_empty() && edges.len() <= 12, "coats: {}", answer.body);
    for edge in edges {
        let variant = &edge["node"]["variants"][0];
        assert!(
            variant["price"]["amount"].is_u64() && variant["availability"]["inStock"].is_boolean(),
            "{variant}"
        );
    }
    let answer = platform
        .client()
        .query(shop::HOME, json!({ "me": false }))
        .await
        .unwrap();
    assert!(
        answer.expect_data().get("me").is_none(),
        "left out by @include: {}",
        answer.body
    );
}

async fn home_shows(shopper: &shop::Shopper, order: &Value) {
    let answer = shopper
        .client
        .query(shop::HOME, json!({ "me": true }))
        .await
        .unwrap();
    let me = &answer.expect_data()["me"];
    assert_eq!(me["email"], shopper.email.as_str());
    let orders = me["orders"]["edges"].as_array().unwrap();
    assert_eq!(orders.len(), 1, "{me}");
    let shown = &orders[0]["node"];
    assert_eq!(shown["id"], order["id"]);
    assert_eq!(shown["payment"]["status"], "CAPTURED");
    assert_eq!(shown["lines"][0]["quantity"], 2);
    assert!(
        shown["lines"][0]["variant"]["product"]["name"].is_string(),
        "{shown}"
    );
}
