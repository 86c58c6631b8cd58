//! How often one client may call, with and without Redis.

use std::time::Duration;

use serde_json::json;

use crate::client::{Answer, Client};
use crate::issuer::{Issuer, Key};
use crate::redis_proxy::{RedisProxy, Way};

const QUERY: &str = "{ product { id } }";

fn config(issuer: &Issuer, per: &str, when_unreachable: &str) -> String {
    format!(
        "{}\ntrusted_proxies: 1\nrate_limits: {{ rules: [{{ name: all, per: {per}, requests: 60, seconds: 60, burst: 3, \
         when_unreachable: {when_unreachable} }}] }}",
        issuer.config()
    )
}

async fn from(client: &Client, address: &str, token: Option<&str>) -> Answer {
    let bearer = token.map(|token| format!("Bearer {token}"));
    let mut headers = vec![("x-forwarded-for", address)];
    headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
    client.query(QUERY, &headers).await
}

fn assert_limited(answer: &Answer) {
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (429, "RATE_LIMITED")
    );
    let seconds: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=2).contains(&seconds), "{seconds}");
}

#[tokio::test]
async fn a_burst_is_let_in_and_then_one_at_a_time() {
    let key = Key::new("one");
    let issuer = Issuer::start(&[&key]).await;
    let redis = RedisProxy::start().await;
    for redis in [None, Some(redis.setup.clone())] {
        let client = Client::with_redis(&config(&issuer, "address", "accept"), redis.clone());
        for _ in 0..3 {
            assert_eq!(from(&client, "10.0.0.1", None).await.status, 200);
        }
        assert_limited(&from(&client, "10.0.0.1", None).await);
        assert_limited(&from(&client, "6.6.6.6, 10.0.0.1", Some(&key.token(json!({})))).await);
        assert_eq!(
            from(&client, "10.0.0.2", None).await.status,
            200,
            "others are not concerned"
        );
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        assert_eq!(from(&client, "10.0.0.1", None).await.status, 200);
        assert_limited(&from(&client, "10.0.0.1", None).await);
        // Routers share their count through Redis, and only so.
        let second = Client::with_redis(&config(&issuer, "address", "accept"), redis.clone());
        assert_eq!(
            from(&second, "10.0.0.1", None).await.status == 200,
            redis.is_none()
        );
    }
}

#[tokio::test]
async fn a_user_is_one_client_at_all_addresses_and_under_all_tokens() {
    let key = Key::new("one");
    let issuer = Issuer::start(&[&key]).await;
    let client = Client::new(&config(&issuer, "client", "accept"));
    let token = |user: &str, n: u32| key.token(json!({ "sub": user, "sid": n.to_string() }));
    for n in 0..3 {
        let address = format!("10.0.0.{n}");
        assert_eq!(from(&client, &address, Some(&token("ada", n))).await.status, 200);
    }
    assert_limited(&from(&client, "10.0.0.9", Some(&token("ada", 9))).await);
    assert_eq!(
        from(&client, "10.0.0.9", Some(&token("bob", 9))).await.status,
        200
    );
    assert_eq!(from(&client, "10.0.0.9", None).await.status, 200);
}

#[tokio::test]
async fn without_redis_each_rule_is_open_or_closed() {
    let issuer = Issuer::start(&[&Key::new("one")]).await;
    for (when_unreachable, status) in [("accept", 200), ("refuse", 503)] {
        let redis = RedisProxy::start().await;
        redis.set(Way::Cut);
        let client = Client::with_redis(
            &config(&issuer, "address", when_unreachable),
            Some(redis.setup.clone()),
        );
        for _ in 0..5 {
            assert_eq!(
                from(&client, "10.0.0.1", None).await.status,
                status,
                "{when_unreachable}"
            );
        }
    }
}
