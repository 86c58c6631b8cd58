//! Postgres and Redis go away, each alone, at the start and later: clear errors, nothing lost, and everything goes on when they are back.

#![allow(clippy::unwrap_used, reason = "for tests: what is wrong fails them")]

use std::time::{Duration, Instant};

use fondaco_e2e::client::Answer;
use fondaco_e2e::platform::{Platform, SUBGRAPHS};
use fondaco_e2e::port::free_address;
use fondaco_e2e::program::Program;
use fondaco_e2e::scratch::Scratch;
use fondaco_e2e::shop::{self, Shopper, Variant};
use serde_json::{Value, json};

/// Longer than pools and connections take to notice that a server is back.
const RECOVERY: Duration = Duration::from_secs(30);

async fn status(platform: &Platform, part: &str, path: &str) -> u16 {
    let url = platform.url(part, path);
    reqwest::get(url).await.unwrap().status().as_u16()
}

/// Repeats the purchase until it is answered by an order, as a client does that was told to try again.
async fn buy_at_last(shopper: &Shopper, variant: &Variant, key: &str) -> Value {
    let deadline = Instant::now() + RECOVERY;
    loop {
        let answer = shop::purchase(shopper, &variant.sku, 1, "tok_success", key).await;
        let order = &answer.data()["purchase"]["order"];
        if order["status"] == "CONFIRMED" {
            return order.clone();
        }
        assert!(Instant::now() < deadline, "still {}", answer.body);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn order_ids(shopper: &Shopper) -> Vec<Value> {
    let answer = shopper
        .client
        .query(
            "{ orders(first: 20) { edges { node { id status payment { status } } } } }",
            json!({}),
        )
        .await
        .unwrap();
    let edges = answer.expect_data()["orders"]["edges"].as_array().unwrap();
    for edge in edges {
        assert_eq!(edge["node"]["status"], "CONFIRMED", "{}", answer.body);
        assert_eq!(edge["node"]["payment"]["status"], "CAPTURED", "{}", answer.body);
    }
    edges.iter().map(|edge| edge["node"]["id"].clone()).collect()
}

fn expect_clear(what: &str, answer: &Answer) {
    assert_eq!(
        answer.error_code(),
        "TEMPORARILY_UNAVAILABLE",
        "{what}: {}",
        answer.body
    );
    let text = answer.body.to_string();
    for inside in ["127.0.0.1", "sqlx", "redis:", "postgres:", "panicked", ".rs:"] {
        assert!(!text.contains(inside), "{what}: `{inside}` leaks in {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_server_may_go_and_come_back() {
    let platform = Platform::start_with_cables().await.unwrap();
    let client = platform.client();
    let shopper = shop::sign_up(&client).await;
    let merchant = shop::merchant(&client).await;
    let variants = shop::variants(&client).await;
    let variant = variants.iter().find(|variant| !variant.drop).unwrap();
    shop::set_stock(&merchant, variant, 10).await;
    let first = buy_at_last(&shopper, variant, "before").await;

    // Without Redis nothing is sold, and everything can be looked at: Postgres knows the stock too.
    platform.cables["redis"].cut();
    let answer = shop::purchase(&shopper, &variant.sku, 1, "tok_success", "without redis").await;
    expect_clear("purchase without Redis", &answer);
    let home = shopper
        .client
        .query(shop::HOME, json!({ "me": true }))
        .await
        .unwrap();
    home.expect_data();
    assert_eq!(status(&platform, "inventory", "/ready").await, 503);
    assert_eq!(status(&platform, "inventory", "/health").await, 200);
    platform.cables["redis"].mend();
    let second = buy_at_last(&shopper, variant, "without redis").await;

    // Without Postgres nothing is known; it is said so, and said again when asked again.
    platform.cables["postgres"].cut();
    for key in ["without postgres", "without postgres"] {
        let answer = shop::purchase(&shopper, &variant.sku, 1, "tok_success", key).await;
        expect_clear("purchase without Postgres", &answer);
    }
    let catalogue = client
        .query("{ products(first: 1) { edges { node { name } } } }", json!({}))
        .await;
    expect_clear("catalogue without Postgres", &catalogue.unwrap());
    for part in SUBGRAPHS {
        assert_eq!(status(&platform, part, "/ready").await, 503, "{part}");
        assert_eq!(status(&platform, part, "/health").await, 200, "{part}");
    }
    platform.cables["postgres"].mend();
    let third = buy_at_last(&shopper, variant, "without postgres").await;

    // Nothing was lost and nothing done twice.
    let orders = [third["id"].clone(), second["id"].clone(), first["id"].clone()];
    assert_eq!(order_ids(&shopper).await, orders);
    shop::expect_available(&client, variant, 7).await;
    for part in SUBGRAPHS {
        assert_eq!(status(&platform, part, "/ready").await, 200, "{part}");
    }
    let warnings = platform.warnings().to_lowercase();
    assert!(warnings.contains("redis"), "{warnings}");
    let offences = fondaco_e2e::logs::offences(&platform, &[&shopper.email]);
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_server_may_be_missing_at_the_start() {
    let platform = Platform::start_with_cables().await.unwrap();
    let folder = Scratch::new("missing").unwrap();
    let config = format!(
        "start_patience_seconds: 1\nidentity: {{ secret: {} }}\n",
        "s".repeat(32)
    );
    let config = folder.write("fondaco.yaml", &config).unwrap();
    let config = config.to_string_lossy();
    let urls = platform.server_urls().unwrap();
    let (database, redis) = (&*urls[0].1, &*urls[1].1);
    let nobody = free_address();
    let no_database = format!("postgres://fondaco:secret-password@{nobody}");
    let no_redis = format!("redis://:secret-password@{nobody}");
    let mut cases: Vec<_> = SUBGRAPHS
        .iter()
        .map(|part| (*part, &*no_database, redis))
        .collect();
    // The others have no use for Redis.
    cases.extend(["auth", "inventory", "order"].map(|part| (part, database, &*no_redis)));
    for (part, database, redis) in cases {
        let listen = free_address();
        let args = [part, "--config", &config, "--listen", &listen];
        let environment = [("DATABASE_URL", database), ("REDIS_URL", redis)];
        let mut program = Program::start(part, folder.path(), &args, &environment).unwrap();
        let ended = program.wait(Duration::from_secs(30)).await.unwrap();
        let log = program.log();
        assert_eq!(ended.and_then(|status| status.code()), Some(1), "{part}: {log}");
        assert!(log.contains(&nobody), "{part} should name {nobody}: {log}");
        assert!(
            !log.contains("secret-password") && !log.contains("panicked"),
            "{part}: {log}"
        );
        std::fs::remove_file(folder.path().join(format!("{part}.log"))).unwrap();
    }
}
