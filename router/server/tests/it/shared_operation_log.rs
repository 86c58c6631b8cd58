//! The log of operations in Redis: several routers, outages, bounds.

use std::time::Duration;

use fondaco_router::{Router, RouterSetup, read_operations};
use redis::AsyncCommands;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::client::setup;
use crate::redis_proxy::{RedisProxy, Way};
use crate::subgraphs::Subgraphs;

/// A router that listens and logs.
struct Logging {
    url: String,
    shutdown: CancellationToken,
    task: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Logging {
    async fn start(redis: &RedisProxy, more: &str) -> Self {
        let config = format!("operation_log: {{ redis: true{more} }}");
        let setup = RouterSetup {
            redis: Some(redis.setup.clone()),
            ..setup(&config, &Subgraphs::default())
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/graphql", listener.local_addr().unwrap());
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(Router::build(setup).unwrap().serve(listener, shutdown.clone()));
        Self { url, shutdown, task }
    }

    async fn ask(&self, client: &str, query: &str) {
        let request = reqwest::Client::new()
            .post(&self.url)
            .header("graphql-client-name", client)
            .json(&serde_json::json!({ "query": query }));
        assert_eq!(request.send().await.unwrap().status(), 200);
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.task.await.unwrap().unwrap();
    }
}

/// Operation, client and count of each record.
async fn recorded(redis: &RedisProxy) -> Vec<(String, String, u64)> {
    let text = read_operations(&redis.setup).await.unwrap();
    let lines = text.lines().map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(line["firstSeen"].as_str() <= line["lastSeen"].as_str(), "{line}");
        assert!(line["firstSeen"].as_str().unwrap().starts_with("20"), "{line}");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (
            text(&line["operation"]),
            text(&line["client"]["name"]),
            line["count"].as_u64().unwrap(),
        )
    });
    lines.collect()
}

/// Nothing of a test stays in Redis.
async fn remove(redis: &RedisProxy) {
    let mut connection = redis.connection().await;
    let keys: Vec<String> = connection.keys(redis.key("*")).await.unwrap();
    let _: () = connection.del(keys).await.unwrap();
}

fn record(operation: &str, client: &str, count: u64) -> (String, String, u64) {
    (operation.to_owned(), client.to_owned(), count)
}

#[tokio::test]
async fn routers_add_up_what_they_count() {
    let redis = RedisProxy::start().await;
    assert_eq!(recorded(&redis).await, []);
    for round in 1..=2 {
        let (one, two) = (Logging::start(&redis, "").await, Logging::start(&redis, "").await);
        for router in [&one, &two] {
            router.ask("web", "query A { secret: product { id } }").await;
        }
        two.ask("app", "query A { product { id } }").await;
        two.ask("app", "{ __typename }").await;
        tokio::join!(one.stop(), two.stop());
        let expected = [
            record("query A { _1: product { id } }", "web", 2 * round),
            record("query A { product { id } }", "app", round),
            record("{ __typename }", "app", round),
        ];
        assert_eq!(recorded(&redis).await, expected);
    }
    remove(&redis).await;
}

#[tokio::test]
async fn what_redis_missed_is_sent_again_and_counts_once() {
    let redis = RedisProxy::start().await;
    let router = Logging::start(&redis, ", interval_ms: 100").await;
    router.ask("web", "{ __typename }").await;
    waited_for(&redis, &[record("{ __typename }", "web", 1)]).await;
    // Silence is worst: Redis may have acted without the router hearing of it.
    for way in [Way::Silent, Way::Cut] {
        redis.set(way);
        router.ask("web", "{ __typename }").await;
        tokio::time::sleep(Duration::from_millis(1_000)).await;
        router.ask("web", "{ __typename }").await;
        redis.set(Way::Open);
    }
    waited_for(&redis, &[record("{ __typename }", "web", 5)]).await;
    router.stop().await;
    assert_eq!(recorded(&redis).await, [record("{ __typename }", "web", 5)]);
    remove(&redis).await;
}

async fn waited_for(redis: &RedisProxy, expected: &[(String, String, u64)]) {
    let seen = async {
        while recorded(redis).await != expected {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    if tokio::time::timeout(Duration::from_secs(20), seen).await.is_err() {
        assert_eq!(recorded(redis).await, expected);
    }
}

#[tokio::test]
async fn the_records_used_last_are_kept() {
    let redis = RedisProxy::start().await;
    for (client, fields) in [("early", 0..12), ("late", 12..24)] {
        let router = Logging::start(&redis, ", entries: 17, interval_ms: 100").await;
        for field in fields {
            router
                .ask(client, &format!("query Q{field} {{ __typename }}"))
                .await;
            // Between two writes the counters hold no more than that either.
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
        router.stop().await;
        // Records are as old as whole seconds tell.
        tokio::time::sleep(Duration::from_millis(1_100)).await;
    }
    let kept = recorded(&redis).await;
    let late = kept.iter().filter(|(_, client, _)| client == "late").count();
    assert_eq!((kept.len(), late), (17, 12));
    let mut connection = redis.connection().await;
    for kind in ["record", "first", "count"] {
        let fields: usize = connection
            .hlen(redis.key(&format!("{{operations}}:{kind}")))
            .await
            .unwrap();
        assert_eq!(fields, 17, "{kind}");
    }
    remove(&redis).await;
}

#[tokio::test]
async fn without_redis_the_configuration_is_refused() {
    let refused = |config: &str| {
        let built = Router::build(setup(config, &Subgraphs::default()));
        built.err().unwrap().to_string()
    };
    let missing = refused("operation_log: { redis: true }");
    assert!(
        missing.contains("router.operation_log.redis needs Redis"),
        "{missing}"
    );
    let both = fondaco_router::RouterConfig::from_yaml("operation_log: { redis: true, file: x }");
    let both = both.unwrap_err().to_string();
    assert!(
        both.contains("router.operation_log: the log is kept in a file or in Redis"),
        "{both}"
    );
}
