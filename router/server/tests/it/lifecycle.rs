//! Starting, health, time limits, reloading and stopping.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use axum::http::Method;
use fondaco_router::{BuildError, IdentitySecrets, Router, RouterSetup, SupergraphSource};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::client::{Client, setup};
use crate::subgraphs::Subgraphs;

const SUPERGRAPH: &str = include_str!("supergraph.graphql");

/// A router that listens.
struct Served {
    url: String,
    shutdown: CancellationToken,
    task: tokio::task::JoinHandle<std::io::Result<()>>,
}

async fn serve(setup: RouterSetup) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let shutdown = CancellationToken::new();
    let router = Router::build(setup).unwrap();
    let task = tokio::spawn(router.serve(listener, shutdown.clone()));
    Served { url, shutdown, task }
}

async fn post(url: &str, query: &str) -> reqwest::Result<(u16, Value)> {
    let request = reqwest::Client::new()
        .post(format!("{url}/graphql"))
        .json(&json!({ "query": query }));
    let response = request.send().await?;
    Ok((response.status().as_u16(), response.json().await?))
}

#[tokio::test]
async fn health_and_readiness() {
    let client = Client::new("{}");
    for path in ["/health", "/ready"] {
        assert_eq!(
            client.call(Method::GET, path, &[], "").await.status,
            200,
            "{path}"
        );
    }
    assert_eq!(client.call(Method::GET, "/elsewhere", &[], "").await.status, 404);
}

#[tokio::test]
async fn what_cannot_be_served_is_named_at_the_start() {
    let with = |supergraph| RouterSetup {
        supergraph,
        ..setup("{}", &Subgraphs::default())
    };
    let text = |sdl: &str| SupergraphSource::Text {
        sdl: sdl.to_owned(),
        name: "broken.graphql".to_owned(),
    };
    let cases: Vec<(RouterSetup, &str)> = vec![
        (
            with(SupergraphSource::File("/nowhere/supergraph.graphql".into())),
            "/nowhere/supergraph.graphql",
        ),
        (with(text("type Query {")), "broken.graphql"),
        (with(text("type Query { a: Int }")), "broken.graphql"),
        (
            with(text(&SUPERGRAPH.replace("http://catalog.test/graphql", ""))),
            "catalog",
        ),
        (
            setup(
                "subgraph_urls: { nobody: 'http://localhost/' }",
                &Subgraphs::default(),
            ),
            "nobody",
        ),
        (
            RouterSetup {
                identity: IdentitySecrets {
                    shared: Some("short".into()),
                    ..IdentitySecrets::default()
                },
                ..setup("{}", &Subgraphs::default())
            },
            "identity.secret",
        ),
        (
            setup(
                "authentication: { issuers: [{ issuer: a, jwks_file: /keys.json, revocation: true }] }",
                &Subgraphs::default(),
            ),
            "needs Redis",
        ),
    ];
    for (setup, named) in cases {
        let error: BuildError = Router::build(setup).err().unwrap();
        assert!(error.to_string().contains(named), "{named}: {error}");
    }
}

#[tokio::test]
async fn a_request_has_a_time_limit() {
    let client = Client::new("timeouts: { request_ms: 200 }");
    let answer = client.query("{ slow }", &[]).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (504, "REQUEST_TIMEOUT")
    );
}

#[tokio::test]
async fn a_mutation_ends_though_its_client_went_away() {
    let client = Client::new("timeouts: { request_ms: 200 }");
    assert_eq!(client.query("mutation { slowly }", &[]).await.status, 504);
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert_eq!(client.subgraphs.slow_mutations_finished.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn stopping_finishes_running_requests() {
    let served = serve(setup("{}", &Subgraphs::default())).await;
    let url = served.url.clone();
    let running = tokio::spawn(async move { post(&url, "{ slow }").await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    served.shutdown.cancel();
    assert_eq!(
        running.await.unwrap().unwrap(),
        (200, json!({ "data": { "slow": true } }))
    );
    served.task.await.unwrap().unwrap();
    assert!(
        post(&served.url, "{ slow }").await.is_err(),
        "nobody listens any more"
    );
}

#[tokio::test]
async fn stopping_has_a_deadline() {
    let served = serve(setup("timeouts: { shutdown_ms: 100 }", &Subgraphs::default())).await;
    let url = served.url.clone();
    let running = tokio::spawn(async move { post(&url, "{ slow }").await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let begun = Instant::now();
    served.shutdown.cancel();
    served.task.await.unwrap().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(1));
    running.abort();
}

#[tokio::test]
async fn a_changed_supergraph_is_served_and_a_broken_one_is_not() {
    let path = std::env::temp_dir().join(format!("fondaco-supergraph-{}.graphql", uuid::Uuid::now_v7()));
    std::fs::write(&path, SUPERGRAPH).unwrap();
    let file = SupergraphSource::File(path.clone());
    let setup = RouterSetup {
        supergraph: file,
        ..setup("reload: { interval_ms: 20 }", &Subgraphs::default())
    };
    let served = serve(setup).await;
    let field = "{ __type(name: \"Vault\") { fields { name } } }";
    let names = |answer: Value| answer["data"]["__type"]["fields"].to_string();
    assert_eq!(
        names(post(&served.url, field).await.unwrap().1),
        r#"[{"name":"gold"}]"#
    );

    std::fs::write(&path, "type Query {").unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(
        names(post(&served.url, field).await.unwrap().1),
        r#"[{"name":"gold"}]"#
    );
    std::fs::remove_file(&path).unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(
        names(post(&served.url, field).await.unwrap().1),
        r#"[{"name":"gold"}]"#
    );

    std::fs::write(&path, SUPERGRAPH.replace("gold: Int", "silver: Int")).unwrap();
    let changed = async {
        while names(post(&served.url, field).await.unwrap().1) != r#"[{"name":"silver"}]"# {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), changed)
        .await
        .expect("the new supergraph is served");
    std::fs::remove_file(&path).unwrap();
    served.shutdown.cancel();
    served.task.await.unwrap().unwrap();
}
