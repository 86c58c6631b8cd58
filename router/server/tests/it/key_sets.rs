//! Key sets of issuers that fail, dawdle, babble or publish what nobody knows: who is known stays signed in.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::json;

use crate::client::{Answer, Client};
use crate::issuer::{Issuer, Key};

/// More than the shortest time between two fetches, which is a second here.
const INTERVAL: Duration = Duration::from_millis(1_100);

async fn with_token(client: &Client, token: &str) -> Answer {
    client
        .query("{ account }", &[("authorization", &format!("Bearer {token}"))])
        .await
}

async fn status(client: &Client, key: &Key, subject: &str) -> u16 {
    with_token(client, &key.token(json!({ "sub": subject })))
        .await
        .status
        .as_u16()
}

#[tokio::test]
async fn keys_nobody_knows_are_passed_over() {
    let key = Key::new("one");
    let issuer = Issuer::start(&[]).await;
    let strange = [
        json!(null),
        json!("a key"),
        json!({}),
        json!({ "kid": "no kind" }),
        json!({ "kty": "AKP", "kid": "tomorrow", "alg": "ML-DSA-65", "pub": "AAAA" }),
        json!({ "kty": "OKP", "crv": "X25519", "kid": "agreement", "x": "AAAA" }),
        json!({ "kty": "EC", "crv": "secp256k1", "kid": "coin", "x": "AAAA", "y": "AAAA" }),
        json!({ "kty": "RSA", "kid": "no modulus", "e": "AQAB" }),
        json!({ "kty": "RSA", "kid": "for encryption", "use": "enc", "alg": "RSA-OAEP-256", "n": "AAAA", "e": "AQAB" }),
        json!({ "kty": "oct", "kid": "secret", "alg": "HS256", "k": "c2VjcmV0" }),
        json!({ "kty": "OKP", "crv": "Ed25519", "kid": 7, "x": "AAAA" }),
    ];
    let keys: Vec<_> = strange.into_iter().chain([key.jwk()]).collect();
    issuer.answer(json!({ "keys": keys, "more": 1 }).to_string());
    let client = Client::new(&issuer.config());
    assert_eq!(status(&client, &key, "ada").await, 200);
}

#[tokio::test]
async fn sets_that_are_none_leave_the_known_keys_in_use() {
    let (key, strange) = (Key::new("one"), Key::new("two"));
    let issuer = Issuer::start(&[&key]).await;
    let client = Client::new(&issuer.config());
    assert_eq!(status(&client, &key, "ada").await, 200);
    let huge = format!("{{\"keys\":[{}]}}", " ".repeat(3_000_000));
    for (n, body) in ["", "null", "[]", "{}", "{\"keys\":[]}", "{\"keys\":{}}", &huge]
        .into_iter()
        .enumerate()
    {
        issuer.answer(body);
        tokio::time::sleep(INTERVAL).await;
        let head = &body[..body.len().min(40)];
        assert_eq!(status(&client, &strange, "eve").await, 401, "{head}");
        assert_eq!(status(&client, &key, &n.to_string()).await, 200, "{head}");
    }
}

#[tokio::test]
async fn who_is_known_does_not_wait_for_a_slow_issuer() {
    let (key, next) = (Key::new("one"), Key::new("two"));
    let issuer = Issuer::start(&[&key]).await;
    let client = Client::new(&issuer.config());
    assert_eq!(status(&client, &key, "ada").await, 200);
    issuer.dawdle(&[&key, &next], Duration::from_secs(2));
    tokio::time::sleep(INTERVAL).await;
    let begun = Instant::now();
    let known = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        (status(&client, &key, "bob").await, begun.elapsed())
    };
    let news = (0..20).map(|n| {
        let client = &client;
        let token = next.token(json!({ "sub": n.to_string() }));
        async move { with_token(client, &token).await.status.as_u16() }
    });
    let (waited, (known, after)) = tokio::join!(join_all(news), known);
    assert_eq!((known, after < Duration::from_secs(1)), (200, true), "{after:?}");
    assert_eq!(waited, [200; 20], "they wait for the one fetch");
    assert_eq!(issuer.fetches.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn an_issuer_that_comes_and_goes_is_asked_once_an_interval() {
    let (key, strange) = (Key::new("one"), Key::new("two"));
    let issuer = Issuer::start(&[&key]).await;
    let config = issuer
        .config()
        .replace("min_refresh_seconds: 1", "min_refresh_seconds: 3");
    let client = Client::new(&config);
    assert_eq!(status(&client, &key, "ada").await, 200);
    let begun = Instant::now();
    issuer.fail();
    for n in 0..30 {
        assert_eq!(status(&client, &strange, "eve").await, 401);
        assert_eq!(status(&client, &key, &n.to_string()).await, 200);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let fetches = issuer.fetches.load(Ordering::SeqCst);
    let allowed = 1 + begun.elapsed().as_secs() as usize / 3;
    assert!(fetches <= allowed, "{fetches} fetches in {:?}", begun.elapsed());
}
