//! Inputs that are wrong in every way: each is answered by a clear error, and the platform goes on.

use serde_json::json;

use crate::client::{Answer, Client};
use crate::platform::Platform;
use crate::shop::{self, Shopper};

/// Tells the story.
pub async fn run(platform: &Platform) {
    let client = platform.client();
    let shopper = shop::sign_up(&client).await;
    requests(&client).await;
    tokens(platform, &client, &shopper).await;
    purchases(platform, &shopper).await;
    let alive = client.query("{ __typename }", json!({})).await.unwrap();
    assert_eq!(alive.expect_data()["__typename"], "Query");
}

fn check(what: &str, answer: &Answer, code: &str) {
    assert_eq!(
        answer.error_code(),
        code,
        "{what}: HTTP {} {}",
        answer.status,
        answer.body
    );
    let message = answer.errors()[0]["message"].as_str().unwrap_or_default();
    assert!(!message.is_empty(), "{what}: no message in {}", answer.body);
}

async fn requests(client: &Client) {
    let broken = client.post("{\"query\": \"{ __typename }\"").await.unwrap();
    assert_eq!(broken.status, 400, "malformed JSON: {}", broken.body);
    check("malformed JSON", &broken, "BAD_REQUEST");

    let syntax = client.query("{ products(", json!({})).await.unwrap();
    check("syntax error", &syntax, "GRAPHQL_PARSE_FAILED");
    let field = client.query("{ nonsense }", json!({})).await.unwrap();
    check("unknown field", &field, "GRAPHQL_VALIDATION_FAILED");

    let body = json!({ "query": "query A { __typename } query B { __typename }", "operationName": "C" });
    check(
        "unknown operation",
        &client.post(body.to_string()).await.unwrap(),
        "OPERATION_RESOLUTION_FAILURE",
    );

    let wrong = client
        .query(shop::HOME, json!({ "me": "perhaps" }))
        .await
        .unwrap();
    check("wrong variable type", &wrong, "BAD_USER_INPUT");
    let missing = client.query(shop::HOME, json!({})).await.unwrap();
    check("missing variable", &missing, "BAD_USER_INPUT");

    let deep = format!(
        "{{ products {} __typename {}",
        "{ edges { node ".repeat(100),
        "} }".repeat(100) + "}"
    );
    let answer = client.query(&deep, json!({})).await.unwrap();
    check("200 levels", &answer, "OPERATION_TOO_DEEP");
    let deep = format!("{{ __schema {{ types {}", "{ ofType ".repeat(200)) + "{ name }" + &"}".repeat(202);
    let answer = client.query(&deep, json!({})).await.unwrap();
    check("200 levels of introspection", &answer, "OPERATION_TOO_DEEP");

    large_body(client).await;
}

/// The server may answer before it has read all of it, and close; either way nothing else may happen.
async fn large_body(client: &Client) {
    let body = json!({ "query": "{ __typename }", "variables": { "filler": "x".repeat(10_000_000) } });
    if let Ok(answer) = client.post(body.to_string()).await {
        assert_eq!(answer.status, 413, "10 MB: {}", answer.body);
        check("10 MB", &answer, "PAYLOAD_TOO_LARGE");
    }
}

async fn tokens(platform: &Platform, client: &Client, shopper: &Shopper) {
    // Signed by nobody and expired in 2001; the others are no tokens at all.
    let expired = "eyJhbGciOiJFZERTQSIsImtpZCI6IngifQ.eyJzdWIiOiJ4IiwiZXhwIjoxMDAwMDAwMDAwfQ.AAAA";
    let garbled = garbled(&shopper.token);
    let garbled = garbled.iter().map(String::as_str);
    for token in garbled.chain([expired, "garbled", "a.b.c", ""]) {
        let answer = client
            .with_token(token)
            .query("{ me { id } }", json!({}))
            .await
            .unwrap();
        assert_eq!(answer.status, 401, "token `{token}`: {}", answer.body);
        check("token", &answer, "UNAUTHENTICATED");
    }
    forged_identity(platform).await;
}

/// A good token with one character changed: in the header, in the claims, in the signature; and with its end lost.
fn garbled(token: &str) -> Vec<String> {
    let changed = |at: usize| {
        let other = if &token[at..=at] == "A" { "B" } else { "A" };
        format!("{}{other}{}", &token[..at], &token[at + 1..])
    };
    let (first, last) = (token.find('.').unwrap(), token.rfind('.').unwrap());
    vec![
        changed(first / 2),
        changed((first + last) / 2),
        changed(last + 5),
        token[..token.len() - 4].to_owned(),
        token[..last].to_owned(),
    ]
}

/// Headers that only the router may send do not come through it.
async fn forged_identity(platform: &Platform) {
    let url = platform.url("router", "/graphql");
    let request = reqwest::Client::new()
        .post(url)
        .header("fondaco-caller", "admin")
        .header("x-user-id", "1");
    let body = json!({ "query": "{ me { id } }" });
    let answer: serde_json::Value = request.json(&body).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer, json!({ "data": { "me": null } }));
}

async fn purchases(platform: &Platform, shopper: &Shopper) {
    let client = platform.client();
    let merchant = shop::merchant(&client).await;
    let variants = shop::variants(&client).await;
    let variant = variants.iter().filter(|variant| !variant.drop).nth(3).unwrap();
    shop::set_stock(&merchant, variant, 10).await;
    let user_errors = [
        ("unknown SKU", "NO-SUCH-SKU", 1, "k1", "UNKNOWN_SKU"),
        ("quantity 0", &*variant.sku, 0, "k2", "INVALID_INPUT"),
        ("negative quantity", &*variant.sku, -1, "k3", "INVALID_INPUT"),
        ("empty key", &*variant.sku, 1, "", "INVALID_INPUT"),
        ("more than there is", &*variant.sku, 11, "k4", "SOLD_OUT"),
    ];
    for (what, sku, quantity, key, code) in user_errors {
        let answer = shop::purchase(shopper, sku, quantity, "tok_success", key).await;
        assert_eq!(
            shop::user_error(&answer, "purchase"),
            code,
            "{what}: {}",
            answer.body
        );
    }
    // 2^31 is no GraphQL Int.
    let answer = shop::purchase(shopper, &variant.sku, 1 << 31, "tok_success", "k5").await;
    check("quantity 2^31", &answer, "BAD_USER_INPUT");
    let answer = client
        .query(shop::PURCHASE, shop::order(&variant.sku, 1, "tok_success", "k6"))
        .await
        .unwrap();
    assert!(!answer.errors().is_empty(), "signed out: {}", answer.body);

    let first = shop::purchase(shopper, &variant.sku, 1, "tok_success", "reused").await;
    assert_eq!(first.expect_data()["purchase"]["order"]["status"], "CONFIRMED");
    let other = shop::purchase(shopper, &variant.sku, 2, "tok_success", "reused").await;
    assert_eq!(
        shop::user_error(&other, "purchase"),
        "IDEMPOTENCY_KEY_REUSED",
        "{}",
        other.body
    );
    shop::expect_available(&client, variant, 9).await;
}
