//! All stories with every part its own process; then parts and servers die.

use std::time::Duration;

use fondaco_e2e::platform::{Mode, Platform};
use fondaco_e2e::{scenario, shop};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn stories() {
    let mut platform = Platform::start(Mode::Separate).await.unwrap();
    scenario::all(&platform).await;
    let (table, balanced) = platform.reconcile().await.unwrap();
    assert!(balanced, "{table}");
    assert_eq!(
        platform.stop().await.unwrap(),
        Vec::<String>::new(),
        "{}",
        platform.logs()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_subgraph_costs_only_its_own_data() {
    let mut platform = Platform::start(Mode::Separate).await.unwrap();
    let shopper = shop::sign_up(&platform.client()).await;
    let variants = shop::variants(&platform.client()).await;
    let variant = variants
        .iter()
        .find(|variant| !variant.drop && variant.available > 0)
        .unwrap();
    shop::buy_one(&shopper, &variant.sku).await.expect_data();

    platform
        .programs
        .get_mut("payment")
        .unwrap()
        .kill()
        .await
        .unwrap();
    let answer = shopper
        .client
        .query(shop::HOME, json!({ "me": true }))
        .await
        .unwrap();
    let order = &answer.data()["me"]["orders"]["edges"][0]["node"];
    assert_eq!(order["status"], "CONFIRMED", "{}", answer.body);
    assert_eq!(order["payment"], Value::Null, "{}", answer.body);
    assert!(answer.data()["products"]["edges"].is_array(), "{}", answer.body);
    let named = answer
        .errors()
        .iter()
        .any(|error| error.to_string().contains("payment"));
    assert!(named, "an error names the subgraph: {}", answer.body);

    platform.start_part("payment").await.unwrap();
    let answer = shopper
        .client
        .query(shop::HOME, json!({ "me": true }))
        .await
        .unwrap();
    let order = &answer.expect_data()["me"]["orders"]["edges"][0]["node"];
    assert_eq!(order["payment"]["status"], "CAPTURED", "{}", answer.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subgraph_killed_mid_query_costs_only_its_own_data() {
    let mut platform = Platform::start(Mode::Separate).await.unwrap();
    let client = platform.client();
    let home = json!({ "me": false });
    client
        .query(shop::HOME, home.clone())
        .await
        .unwrap()
        .expect_data();
    // Stopped, it takes the call and does not answer: the query is under way when it is killed.
    platform.programs["inventory"].signal(Signal::SIGSTOP);
    let running = tokio::spawn(async move { client.query(shop::HOME, home).await.unwrap() });
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(!running.is_finished(), "the query waits for inventory");
    platform
        .programs
        .get_mut("inventory")
        .unwrap()
        .kill()
        .await
        .unwrap();
    let answer = running.await.unwrap();
    let products = answer.data()["products"]["edges"].as_array();
    let products = products.unwrap_or_else(|| panic!("the catalogue stays: {}", answer.body));
    assert!(!products.is_empty());
    for variant in products
        .iter()
        .flat_map(|edge| edge["node"]["variants"].as_array().unwrap())
    {
        assert!(variant["price"]["amount"].is_u64(), "{variant}");
        assert_eq!(variant["availability"], Value::Null, "{variant}");
    }
    let error = &answer.errors()[0];
    assert_eq!(answer.error_code(), "SUBREQUEST_HTTP_ERROR", "{error}");
    assert!(error.to_string().contains("inventory"), "{error}");

    platform.start_part("inventory").await.unwrap();
    let answer = platform
        .client()
        .query(shop::HOME, json!({ "me": false }))
        .await
        .unwrap();
    assert!(
        answer.expect_data()["products"]["edges"][0]["node"]["variants"][0]["availability"]["inStock"]
            .is_boolean()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_die_give_clear_errors() {
    let mut platform = Platform::start(Mode::Separate).await.unwrap();
    let shopper = shop::sign_up(&platform.client()).await;
    let variants = shop::variants(&platform.client()).await;
    platform
        .programs
        .get_mut("servers")
        .unwrap()
        .kill()
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let answer = shop::buy_one(&shopper, &variants[0].sku).await;
    assert_eq!(answer.error_code(), "TEMPORARILY_UNAVAILABLE", "{}", answer.body);
    let not_ready = reqwest::get(platform.url("product", "/ready")).await.unwrap();
    assert_eq!(not_ready.status(), 503);
    let alive = reqwest::get(platform.url("product", "/health")).await.unwrap();
    assert_eq!(alive.status(), 200);
    assert!(!platform.logs().contains("panicked at"), "{}", platform.logs());
}
