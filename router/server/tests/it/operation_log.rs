//! The log of operations: what is written, and what is not.

use http::Method;
use serde_json::Value;

use crate::client::{Client, setup};
use crate::subgraphs::Subgraphs;
use fondaco_router::Router;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn operations_are_counted_by_client_and_without_values() {
    let folder = std::env::temp_dir().join(format!("fondaco-operation-log-{}", uuid::Uuid::now_v7()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("operations.jsonl");
    let config = format!(
        "operation_log: {{ file: '{}', interval_ms: 60000 }}",
        file.display()
    );
    // The second round goes on with the file of the first.
    for round in 1..=2_u64 {
        let shutdown = CancellationToken::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/graphql", listener.local_addr().unwrap());
        let router = Router::build(setup(&config, &Subgraphs::default())).unwrap();
        let task = tokio::spawn(router.serve(listener, shutdown.clone()));
        for (version, query) in [
            ("1", "query A { secret: __type(name: \"Query\") { name } }"),
            ("1", "query A { other: __type(name: \"Mutation\") { name } }"),
            ("2", "query A { other: __type(name: \"Mutation\") { name } }"),
            ("2", "query Invalid { nothing }"),
        ] {
            let request = reqwest::Client::new()
                .post(&url)
                .header("apollographql-client-name", "web")
                .header("graphql-client-version", version)
                .json(&serde_json::json!({ "query": query }));
            request.send().await.unwrap();
        }
        shutdown.cancel();
        tokio::time::timeout(Duration::from_secs(20), task)
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        check_lines(&std::fs::read_to_string(&file).unwrap(), round);
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

fn check_lines(text: &str, round: u64) {
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let counts: Vec<(&str, u64)> = lines
        .iter()
        .map(|line| {
            (
                line["client"]["version"].as_str().unwrap(),
                line["count"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(counts, [("1", 2 * round), ("2", round)], "{text}");
    for line in &lines {
        assert_eq!(line["operation"], "query A { _1: __type(name: \"\") { name } }");
        assert_eq!(line["client"]["name"], "web");
        assert!(line["firstSeen"].as_str() <= line["lastSeen"].as_str(), "{line}");
    }
}

#[tokio::test]
async fn without_a_file_nothing_is_signed() {
    let client = Client::new("{}");
    let answer = client.call(
        Method::POST,
        "/graphql",
        &[("content-type", "application/json")],
        "{\"query\":\"{ __typename }\"}",
    );
    assert_eq!(answer.await.status, 200);
}

#[test]
fn a_file_of_something_else_is_refused() {
    let file = std::env::temp_dir().join(format!("fondaco-no-log-{}.jsonl", uuid::Uuid::now_v7()));
    std::fs::write(&file, "{\"a\": 1}\n").unwrap();
    let config = format!("operation_log: {{ file: '{}' }}", file.display());
    let refused = Router::build(setup(&config, &Subgraphs::default()))
        .err()
        .unwrap()
        .to_string();
    assert!(refused.contains(".jsonl:1 is not a record"), "{refused}");
    std::fs::remove_file(&file).unwrap();
}
