//! A thousand people buy a drop of a hundred units at once: exactly a hundred get it.

use std::collections::BTreeMap;

use futures::StreamExt;
use futures::future::join_all;

use crate::platform::Platform;
use crate::shop::{self, Shopper};

const BUYERS: usize = 1_000;
const UNITS: u64 = 100;

/// Tells the story.
pub async fn run(platform: &Platform) {
    let client = platform.client();
    let merchant = shop::merchant(&client).await;
    let variants = shop::variants(&client).await;
    let drop = variants
        .iter()
        .find(|variant| variant.drop)
        .expect("the demo catalogue has a drop that has begun");
    shop::set_stock(&merchant, drop, UNITS).await;
    let buyers: Vec<Shopper> = futures::stream::iter(0..BUYERS)
        .map(|_| shop::sign_up(&client))
        .buffer_unordered(8)
        .collect()
        .await;

    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    for answer in join_all(buyers.iter().map(|buyer| shop::buy_one(buyer, &drop.sku))).await {
        let status = answer.data()["purchase"]["order"]["status"].as_str();
        let outcome = match (shop::user_error(&answer, "purchase"), status) {
            ("", Some(status)) if answer.errors().is_empty() => status.to_owned(),
            (code, _) if !code.is_empty() => code.to_owned(),
            _ => format!("HTTP {} {}", answer.status, answer.body),
        };
        *outcomes.entry(outcome).or_default() += 1;
    }
    let expected = [
        ("CONFIRMED".to_owned(), 100),
        ("SOLD_OUT".to_owned(), BUYERS - 100),
    ];
    assert_eq!(
        outcomes,
        BTreeMap::from(expected),
        "warnings:\n{}",
        platform.warnings()
    );
    shop::expect_available(&client, drop, 0).await;
    no_hold_is_left(&merchant, drop).await;
}

/// What is added is exactly what can be bought: nothing of it is owed to a hold, and no hold gives anything back.
async fn no_hold_is_left(merchant: &Shopper, drop: &shop::Variant) {
    shop::set_stock(merchant, drop, 1).await;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    shop::expect_available(&merchant.client, drop, 1).await;
    let buyer = shop::sign_up(&merchant.client).await;
    let answer = shop::buy_one(&buyer, &drop.sku).await;
    assert_eq!(
        answer.expect_data()["purchase"]["order"]["status"],
        "CONFIRMED",
        "{}",
        answer.body
    );
    shop::expect_available(&merchant.client, drop, 0).await;
}
