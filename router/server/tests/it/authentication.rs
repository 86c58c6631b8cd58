//! Tokens: which are believed, which refused, and how keys are fetched.

use std::sync::atomic::Ordering;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde_json::{Value, json};

use crate::client::{Answer, Client, SECRET};
use crate::issuer::{Issuer, Key, claims, now};

async fn with_token(client: &Client, token: &str) -> Answer {
    client
        .query("{ account }", &[("authorization", &format!("Bearer {token}"))])
        .await
}

fn unsigned(header: Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.", part(&header), part(claims))
}

fn hs256(secret: &[u8], header: Header) -> String {
    jsonwebtoken::encode(&header, &claims(json!({})), &EncodingKey::from_secret(secret)).unwrap()
}

#[tokio::test]
async fn a_good_token_is_believed_and_passed_on_signed() {
    let key = Key::new("one");
    let issuer = Issuer::start(&[&key]).await;
    let client = Client::new(&issuer.config());
    let exp = now() + 6;
    for _ in 0..3 {
        let answer = with_token(&client, &key.token(json!({ "exp": exp }))).await;
        assert_eq!(answer.json(), json!({ "data": { "account": "account" } }));
    }
    let call = &client.subgraphs.calls()[0];
    let mut validation = Validation::default();
    validation.set_audience(&["catalog"]);
    let secret = DecodingKey::from_secret(SECRET.as_bytes());
    let caller = jsonwebtoken::decode::<Value>(&call.headers["fondaco-caller"], &secret, &validation)
        .unwrap()
        .claims;
    let sent = claims(json!({}));
    for name in ["sub", "sid", "roles", "scope"] {
        assert_eq!(caller[name], sent[name], "{name}");
    }
    assert_eq!(caller["exp"], exp, "the identity must not outlive the token");
    assert!(!call.headers.contains_key("authorization"));
    assert_eq!(issuer.fetches.load(Ordering::SeqCst), 1);
}

/// Tokens that are wrong in one thing each: `key` is the issuer's, `other` is not.
fn bad_tokens(key: &Key, other: &Key) -> Vec<(&'static str, String)> {
    let kid = |header: Header, kid: &str| Header {
        kid: Some(kid.to_owned()),
        ..header
    };
    let good = key.token(json!({}));
    vec![
        ("expired", key.token(json!({ "exp": now() - 1 }))),
        ("not yet valid", key.token(json!({ "nbf": now() + 100 }))),
        ("no expiry", key.token(json!({ "exp": null }))),
        ("other issuer", key.token(json!({ "iss": "evil" }))),
        ("no issuer", key.token(json!({ "iss": null }))),
        ("other audience", key.token(json!({ "aud": "other" }))),
        ("no audience", key.token(json!({ "aud": null }))),
        ("refresh token", key.token(json!({ "token_use": "refresh" }))),
        ("no use", key.token(json!({ "token_use": null }))),
        ("signed by another key", other.token(json!({}))),
        (
            "alg none",
            unsigned(json!({ "alg": "none", "kid": "one" }), &claims(json!({}))),
        ),
        (
            "no signature",
            unsigned(json!({ "alg": "EdDSA", "kid": "one" }), &claims(json!({}))),
        ),
        (
            "HS256 under the public key",
            hs256(&key.public, kid(Header::new(Algorithm::HS256), "one")),
        ),
        (
            "HS256 under a guess",
            hs256(b"secret", kid(Header::new(Algorithm::HS256), "one")),
        ),
        (
            "unknown kid",
            hs256(b"secret", kid(Header::new(Algorithm::HS256), "two")),
        ),
        (
            "kid with a path",
            hs256(b"secret", kid(Header::new(Algorithm::HS256), "../../dev/null")),
        ),
        (
            "kid with SQL",
            hs256(b"secret", kid(Header::new(Algorithm::HS256), "' OR 1=1 --")),
        ),
        ("critical extension", {
            let header = Header {
                crit: Some(vec!["x".into()]),
                ..kid(Header::new(Algorithm::HS256), "one")
            };
            hs256(b"secret", header)
        }),
        ("truncated", good[..good.len() - 10].to_owned()),
        ("changed", good.replacen('.', ".e", 1)),
        ("garbled", "garbled".to_owned()),
        ("empty", String::new()),
        ("100 KB", "a".repeat(100_000)),
    ]
}

#[tokio::test]
async fn bad_tokens_are_refused_with_401() {
    let (key, other) = (Key::new("one"), Key::new("one"));
    let issuer = Issuer::start(&[&key]).await;
    let client = Client::new(&issuer.config());
    for (name, token) in bad_tokens(&key, &other) {
        let answer = with_token(&client, &token).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (401, "UNAUTHENTICATED"),
            "{name}: {answer:?}"
        );
        assert!(answer.header("www-authenticate").starts_with("Bearer"), "{name}");
        assert!(client.subgraphs.calls().is_empty(), "{name}");
    }
    assert_eq!(with_token(&client, &key.token(json!({}))).await.status, 200);
}

#[tokio::test]
async fn the_authorization_header_must_be_one_bearer_token() {
    let key = Key::new("one");
    let issuer = Issuer::start(&[&key]).await;
    let client = Client::new(&issuer.config());
    let good = format!("Bearer {}", key.token(json!({})));
    let two = client
        .query(
            "{ product { id } }",
            &[("authorization", &good), ("authorization", &good)],
        )
        .await;
    assert_eq!(two.status, 401);
    assert_eq!(
        client
            .query("{ product { id } }", &[("authorization", "Basic YTpi")])
            .await
            .status,
        401
    );
    assert_eq!(client.query("{ product { id } }", &[]).await.status, 200);
    let lower = good.replace("Bearer", "bearer");
    assert_eq!(
        client
            .query("{ product { id } }", &[("authorization", &lower)])
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_new_key_is_fetched_once_and_unknown_ones_do_not_make_a_storm() {
    let (old, new, strange) = (Key::new("old"), Key::new("new"), Key::new("strange"));
    let issuer = Issuer::start(&[&old]).await;
    let client = Client::new(&issuer.config());
    assert_eq!(with_token(&client, &old.token(json!({}))).await.status, 200);
    let strangers = (0..50).map(|n| {
        let token = strange.token(json!({ "sub": n.to_string() }));
        let client = &client;
        async move { with_token(client, &token).await.status.as_u16() }
    });
    assert!(
        futures::future::join_all(strangers)
            .await
            .iter()
            .all(|status| *status == 401)
    );
    assert_eq!(
        issuer.fetches.load(Ordering::SeqCst),
        1,
        "the keys were fetched less than an interval ago"
    );

    issuer.publish(&[&old, &new]);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(with_token(&client, &new.token(json!({}))).await.status, 200);
    assert_eq!(with_token(&client, &old.token(json!({}))).await.status, 200);
    assert_eq!(issuer.fetches.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn known_keys_outlive_an_outage_and_withdrawn_keys_end() {
    let (key, next, strange) = (Key::new("one"), Key::new("two"), Key::new("three"));
    let issuer = Issuer::start(&[&key]).await;
    let client = Client::new(&issuer.config());
    let token = key.token(json!({}));
    assert_eq!(with_token(&client, &token).await.status, 200);
    issuer.fail();
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(with_token(&client, &strange.token(json!({}))).await.status, 401);
    assert_eq!(
        with_token(&client, &token).await.status,
        200,
        "an outage of the issuer locks nobody out"
    );
    assert_eq!(
        with_token(&client, &key.token(json!({ "sub": "another" })))
            .await
            .status,
        200
    );

    issuer.publish(&[&next]);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(with_token(&client, &next.token(json!({}))).await.status, 200);
    assert_eq!(
        with_token(&client, &token).await.status,
        401,
        "a remembered token ends with its key"
    );
}

#[tokio::test]
async fn keys_may_come_from_a_file_that_appears_later() {
    let key = Key::new("one");
    let path = std::env::temp_dir().join(format!("fondaco-jwks-{}.json", uuid::Uuid::now_v7()));
    let config = format!(
        "authentication: {{ issuers: [{{ issuer: fondaco, jwks_file: '{}', min_refresh_seconds: 0 }}] }}",
        path.display()
    );
    let client = Client::new(&config);
    assert_eq!(with_token(&client, &key.token(json!({}))).await.status, 401);
    std::fs::write(&path, json!({ "keys": [key.jwk()] }).to_string()).unwrap();
    assert_eq!(with_token(&client, &key.token(json!({}))).await.status, 200);
    std::fs::remove_file(path).unwrap();
}
