//! Paging, searching, filtering and ordering the catalogue.

use fondaco_chassis::{
    Caller,
    testing::{customer, merchant},
};
use fondaco_contracts::UserId;
use serde_json::Value;

use crate::Shop;

fn names(connection: &Value) -> Vec<String> {
    let edges = connection["edges"].as_array().unwrap();
    edges
        .iter()
        .map(|edge| edge["node"]["name"].as_str().unwrap().to_owned())
        .collect()
}

async fn list(shop: &Shop, arguments: &str) -> Value {
    let query = format!(
        "{{ products({arguments}) {{ edges {{ cursor node {{ name }} }}
            pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"
    );
    shop.data(&query).await["products"].clone()
}

/// Every order, forwards and backwards, in pages of 7, gives each product once.
#[tokio::test]
async fn pages_join_without_a_seam() {
    let shop = Shop::open().await;
    for arguments in [
        "sort: NAME",
        "sort: PRICE_ASC",
        "sort: PRICE_DESC",
        "sort: NEWEST",
        "search: \"coat\"",
        "filter: { inDrop: true }, sort: PRICE_ASC",
    ] {
        let whole = names(&list(&shop, &format!("{arguments}, first: 100")).await);
        let mut forward = Vec::new();
        let mut after = String::new();
        loop {
            let page = list(&shop, &format!("{arguments}, first: 7{after}")).await;
            assert_eq!(page["pageInfo"]["hasPreviousPage"], !after.is_empty());
            forward.extend(names(&page));
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
            after = format!(", after: {}", page["pageInfo"]["endCursor"]);
        }
        assert_eq!(forward, whole, "{arguments}");

        let mut backward = Vec::new();
        let mut before = String::new();
        loop {
            let page = list(&shop, &format!("{arguments}, last: 7{before}")).await;
            assert_eq!(page["pageInfo"]["hasNextPage"], !before.is_empty());
            backward.splice(0..0, names(&page));
            if page["pageInfo"]["hasPreviousPage"] == false {
                break;
            }
            before = format!(", before: {}", page["pageInfo"]["startCursor"]);
        }
        assert_eq!(backward, whole, "{arguments}");
    }
}

#[tokio::test]
async fn search_filter_and_sort() {
    let shop = Shop::open().await;
    let count = async |arguments: &str| names(&list(&shop, arguments).await).len();
    assert!(count("first: 100, search: \"coat\"").await >= 12);
    assert_eq!(
        count("first: 100, search: \"coa\"").await,
        count("first: 100, search: \"coats\"").await
    );
    assert_eq!(count("search: \"!?\"").await, 0);
    assert_eq!(count("search: \"\"").await, 20);
    assert_eq!(count("first: 0").await, 0);
    assert_eq!(count("first: 100, filter: { category: \"Knitwear\" }").await, 6);
    assert_eq!(count("filter: { category: \"Nothing\" }").await, 0);
    assert_eq!(count("first: 100, filter: { priceMin: 45000 }").await, 4);
    assert_eq!(count("first: 100, filter: { priceMax: 3000 }").await, 3);
    assert_eq!(count("first: 100, filter: { inDrop: true }").await, 7);

    let check = async |arguments: &str, expected: &[&str]| {
        assert_eq!(names(&list(&shop, arguments).await), expected, "{arguments}");
    };
    check("search: \"wool overc\"", &["Lodenfrey Wool Overcoat"]).await;
    check(
        "first: 2, sort: PRICE_ASC",
        &["Meadow Socks", "Quarry Stoneware Mug"],
    )
    .await;
    check("first: 1, sort: PRICE_DESC", &["Pavia Cashmere Coat"]).await;
    check("first: 1, sort: NEWEST", &["Hadley Trench Coat"]).await;
    check("last: 1, sort: NAME", &["Yarrow Linen Shorts"]).await;
    let best = names(&list(&shop, "search: \"trench coat\"").await);
    assert!(
        best[..2].iter().all(|name| name.contains("Trench Coat")),
        "{best:?}"
    );
}

#[tokio::test]
async fn unusable_arguments_are_refused() {
    let shop = Shop::open().await;
    let cursor = list(&shop, "first: 1, sort: NAME").await["pageInfo"]["endCursor"].clone();
    let check = async |arguments: &str, code: &str| {
        let query = format!("{{ products({arguments}) {{ edges {{ cursor }} }} }}");
        assert_eq!(
            shop.error_code(&Caller::Anonymous, &query).await,
            code,
            "{arguments}"
        );
    };
    check("first: -1", "BAD_USER_INPUT").await;
    check("first: 101", "BAD_USER_INPUT").await;
    check("last: 2147483647", "BAD_USER_INPUT").await;
    check("first: 1, last: 1", "BAD_USER_INPUT").await;
    check("after: \"nonsense\"", "BAD_USER_INPUT").await;
    check(&format!("sort: PRICE_ASC, after: {cursor}"), "BAD_USER_INPUT").await;
    check("filter: { category: \"a\\u0000b\" }", "BAD_USER_INPUT").await;
    check("filter: { priceMin: 1.5 }", "BAD_USER_INPUT").await;
    check("filter: { status: DRAFT }", "UNAUTHENTICATED").await;
    let drafts = "{ products(filter: { status: DRAFT }) { edges { cursor } } }";
    assert_eq!(
        shop.error_code(&customer(UserId::new()), drafts).await,
        "FORBIDDEN"
    );
    let answer = shop.ask(&merchant(UserId::new()), drafts, Value::Null).await;
    assert_eq!(answer.get("errors"), None);
}

#[tokio::test]
async fn one_product_by_one_key() {
    let shop = Shop::open().await;
    let found = shop
        .data("{ product(slug: \"skagen-raincoat\") { id name category status } }")
        .await;
    assert_eq!(found["product"]["category"], "Coats");
    let by_id = format!("{{ product(id: {}) {{ name }} }}", found["product"]["id"]);
    assert_eq!(shop.data(&by_id).await["product"]["name"], "Skagen Raincoat");
    for missing in [
        "slug: \"none\"",
        "slug: \"\\u0000\"",
        "id: \"no uuid\"",
        "id: \"0190163d-8694-739b-aea5-966c26f8ad91\"",
    ] {
        assert_eq!(
            shop.data(&format!("{{ product({missing}) {{ name }} }}")).await["product"],
            Value::Null
        );
    }
    for unusable in [
        "{ product { name } }",
        "{ product(id: \"1\", slug: \"a\") { name } }",
    ] {
        assert_eq!(
            shop.error_code(&Caller::Anonymous, unusable).await,
            "BAD_USER_INPUT"
        );
    }
}
