//! What is kept of the catalogue in memory, and that it is never an old one.

use std::time::Duration;

use fondaco_chassis::{Caller, testing::merchant};
use fondaco_contracts::UserId;
use fondaco_product::ProductConfig;
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::time::{sleep, timeout};

use crate::{Shop, statements::count};

const SOON: Duration = Duration::from_secs(10);
const HOME: &str = r#"{ products(first: 12, search: "coat") { edges { node { id name variants { sku price { amount } } } } }
    product(slug: "harbour-pea-coat") { id name } }"#;
const RENAME: &str =
    "mutation($input: UpdateProductInput!) { updateProduct(input: $input) { product { name } } }";

/// Asks until Postgres is no longer asked: the subscription is there.
async fn warm(shop: &Shop) {
    let warmed = async {
        while count(shop, &Caller::Anonymous, HOME, json!({})).await.0 > 0 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(SOON, warmed).await.expect("the catalogue is kept");
}

async fn name(shop: &Shop) -> Value {
    let (_, data) = count(shop, &Caller::Anonymous, HOME, json!({})).await;
    data["product"]["name"].clone()
}

async fn rename(shop: &Shop, name: &str) {
    let (_, data) = count(shop, &Caller::Anonymous, HOME, json!({})).await;
    let input = json!({ "input": { "id": data["product"]["id"], "name": name } });
    let answer = shop.ask(&merchant(UserId::new()), RENAME, input).await;
    assert_eq!(answer["data"]["updateProduct"]["product"]["name"], name);
}

/// The service's database, behind its back.
async fn pool(shop: &Shop) -> PgPool {
    let runtime = &shop.runtime.runtime;
    let url = format!("{}/{}product", runtime.database_url, runtime.database_prefix);
    PgPool::connect(&url).await.unwrap()
}

#[tokio::test]
async fn a_change_is_seen_at_once_by_whoever_made_it() {
    let shop = Shop::open().await;
    warm(&shop).await;
    for number in 0..20 {
        let new = format!("Coat {number}");
        rename(&shop, &new).await;
        assert_eq!(name(&shop).await, new);
    }
}

#[tokio::test]
async fn a_change_is_heard_by_other_processes() {
    let shop = Shop::open().await;
    let service = fondaco_product::start(&ProductConfig::default(), &shop.runtime.runtime)
        .await
        .unwrap();
    let runtime = shop.runtime;
    let other = Shop { runtime, service };
    warm(&other).await;
    let pool = pool(&other).await;
    sqlx::query("update product set name = 'Elsewhere' where slug = 'harbour-pea-coat'")
        .execute(&pool)
        .await
        .unwrap();
    let heard = async {
        while name(&other).await != "Elsewhere" {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(SOON, heard).await.expect("the change is heard");
}

#[tokio::test]
async fn without_its_subscription_the_catalogue_is_read_from_postgres() {
    let shop = Shop::open().await;
    warm(&shop).await;
    let pool = pool(&shop).await;
    let listener = "select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and query ilike 'listen%'";
    let ended = sqlx::query(listener).execute(&pool).await.unwrap();
    assert_eq!(ended.rows_affected(), 1);
    let noticed = async {
        while count(&shop, &Caller::Anonymous, HOME, json!({})).await.0 == 0 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(SOON, noticed).await.expect("the loss is noticed");
    warm(&shop).await;
}

/// A product that one process creates or changes is in the list of another, however soon that asked before.
#[tokio::test]
async fn lists_of_several_processes_follow_one_another() {
    const LIST: &str = r#"{ products(first: 3, search: "harbour") { edges { node { name } } } }"#;
    let shop = Shop::open().await;
    let mut others = Vec::new();
    for _ in 0..2 {
        let service = fondaco_product::start(&ProductConfig::default(), &shop.runtime.runtime)
            .await
            .unwrap();
        others.push(service);
    }
    warm(&shop).await;
    for number in 0..5 {
        let new = format!("Harbour {number}");
        rename(&shop, &new).await;
        for other in &others {
            let heard = async {
                loop {
                    let anybody = Caller::Anonymous;
                    let answer = shop
                        .runtime
                        .call(&other.router, "product", &anybody, LIST, json!({}))
                        .await;
                    if answer.to_string().contains(&new) {
                        return;
                    }
                    sleep(Duration::from_millis(5)).await;
                }
            };
            timeout(SOON, heard).await.expect("the change is heard");
        }
    }
}

#[tokio::test]
async fn a_change_that_nobody_told_of_is_seen_after_a_while() {
    let shop = Shop::open_with(ProductConfig {
        demo: true,
        keep_seconds: 2,
        ..ProductConfig::default()
    })
    .await;
    let pool = pool(&shop).await;
    sqlx::query("alter table product disable trigger product_changed")
        .execute(&pool)
        .await
        .unwrap();
    name(&shop).await;
    sqlx::query("update product set name = 'Unheard' where slug = 'harbour-pea-coat'")
        .execute(&pool)
        .await
        .unwrap();
    let seen = async {
        while name(&shop).await != "Unheard" {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(SOON, seen).await.expect("what is kept is read anew");
}
