//! A token is dead soon after its session has ended, whatever happens between the router and Redis.

use std::time::{Duration, Instant};

use redis::AsyncCommands;
use serde_json::json;

use crate::client::{Answer, Client};
use crate::issuer::{Issuer, Key};
use crate::redis_proxy::{RedisProxy, Way};

/// What the platform promises.
const DEAD_WITHIN: Duration = Duration::from_secs(2);

struct Setting {
    key: Key,
    redis: RedisProxy,
    client: Client,
}

impl Setting {
    async fn new(when_unreachable: &str) -> Self {
        let key = Key::new("one");
        let issuer = Issuer::start(&[&key]).await;
        let redis = RedisProxy::start().await;
        let config = format!(
            "authentication: {{ issuers: [{{ issuer: fondaco, jwks_url: '{}', revocation: true }}], \
             revocation: {{ when_unreachable: {when_unreachable} }} }}",
            issuer.url
        );
        let client = Client::with_redis(&config, Some(redis.setup.clone()));
        Self { key, redis, client }
    }

    fn token(&self, session: &str) -> String {
        format!("Bearer {}", self.key.token(json!({ "sid": session })))
    }

    async fn call(&self, token: &str) -> Answer {
        self.client
            .query("{ account }", &[("authorization", token)])
            .await
    }

    /// As auth does it: the key, then the news.
    async fn end(&self, session: &str, news: bool) {
        let mut redis = self.redis.connection().await;
        let key = self.redis.key(&format!("session:revoked:{session}"));
        let (): () = redis.set_ex(key, 1, 60).await.unwrap();
        if news {
            let channel = self.redis.key("session:revoked");
            let (): () = redis.publish(channel, session).await.unwrap();
        }
    }

    /// How long the token is still believed, used all the time.
    async fn time_to_death(&self, token: &str) -> Duration {
        let ended = Instant::now();
        while ended.elapsed() < 3 * DEAD_WITHIN {
            let answer = self.call(token).await;
            if answer.status == 401 {
                assert!(
                    answer.json().to_string().contains("session has ended"),
                    "{answer:?}"
                );
                return ended.elapsed();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the token is still believed");
    }
}

#[tokio::test]
async fn an_ended_session_is_dead_at_once() {
    let setting = Setting::new("accept").await;
    let (token, other) = (setting.token("a"), setting.token("b"));
    assert_eq!(setting.call(&token).await.status, 200);
    assert_eq!(setting.call(&other).await.status, 200);
    // Long enough that the answer of Redis is kept up to date by the subscription only.
    for _ in 0..15 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(setting.call(&token).await.status, 200);
    }
    setting.end("a", true).await;
    let took = setting.time_to_death(&token).await;
    assert!(took < Duration::from_millis(500), "{took:?}");
    assert_eq!(setting.call(&other).await.status, 200);
    // A token that was never seen before, of a session that ended before.
    setting.end("c", false).await;
    assert_eq!(setting.call(&setting.token("c")).await.status, 401);
}

#[tokio::test]
async fn news_that_get_lost_are_made_up_for() {
    for way in [Way::Cut, Way::Silent] {
        let setting = Setting::new("refuse").await;
        let token = setting.token("a");
        assert_eq!(setting.call(&token).await.status, 200);
        tokio::time::sleep(Duration::from_millis(600)).await;
        setting.redis.set(way);
        setting.end("a", true).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        setting.redis.set(Way::Cut);
        setting.redis.set(Way::Open);
        let took = setting.time_to_death(&token).await;
        assert!(took < DEAD_WITHIN, "{way:?}: {took:?}");
    }
}

#[tokio::test]
async fn without_redis_the_configuration_decides() {
    for (when_unreachable, status, code) in [("accept", 200, ""), ("refuse", 503, "TEMPORARILY_UNAVAILABLE")]
    {
        for way in [Way::Cut, Way::Silent] {
            let setting = Setting::new(when_unreachable).await;
            setting.redis.set(way);
            let begun = Instant::now();
            let token = setting.token("a");
            for _ in 0..20 {
                let answer = setting.call(&token).await;
                assert_eq!(
                    (answer.status.as_u16(), answer.code().as_str()),
                    (status, code),
                    "{way:?}"
                );
            }
            assert!(
                begun.elapsed() < DEAD_WITHIN,
                "an outage must not slow every request down"
            );
            setting.redis.set(Way::Cut);
            setting.redis.set(Way::Open);
            tokio::time::sleep(Duration::from_millis(1_500)).await;
            assert_eq!(setting.call(&token).await.status, 200);
        }
    }
}

#[tokio::test]
async fn a_token_must_name_its_session() {
    let setting = Setting::new("accept").await;
    let token = format!("Bearer {}", setting.key.token(json!({ "sid": null })));
    assert_eq!(setting.call(&token).await.status, 401);
}
