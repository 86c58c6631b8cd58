//! Subgraphs in the same process: called without sockets, contained when they fail.
#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests are not test functions to clippy"
)]

#[allow(dead_code, reason = "each test uses its part")]
mod support;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use fondaco_executor::SubgraphErrors;
use fondaco_executor::in_process::InProcessTransport;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use support::{executor_within, prepare, root, run};
use tower::service_fn;

async fn subgraph(request: Request<Full<Bytes>>) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = request.into_body().collect().await.unwrap().to_bytes();
    match std::str::from_utf8(&body).unwrap() {
        body if body.contains("panic") => panic!("a subgraph's own fault"),
        body if body.contains("sleep") => tokio::time::sleep(Duration::from_secs(60)).await,
        _ => {}
    }
    Ok(Response::new(Full::from(r#"{"data":{"me":{"id":"1"}}}"#)))
}

#[test]
fn services_answer_and_their_faults_stay_theirs() {
    for (subgraph_name, query, expected) in [
        ("a", "{me{id}}", r#"{"data":{"me":{"id":"1"}}}"#),
        ("a", "{me{panic}}", "could not be reached: task"),
        ("a", "{me{sleep}}", "REQUEST_TIMEOUT"),
        ("b", "{me{id}}", "no subgraph named `b` is connected"),
        (
            "unlisted",
            "{me{id}}",
            "no subgraph named `unlisted` is connected",
        ),
    ] {
        let transport = Arc::new(InProcessTransport::new().with("a", service_fn(subgraph)));
        let executor = executor_within(
            Duration::from_secs(1),
            transport,
            "http://in-process/graphql",
            SubgraphErrors::Expose,
        );
        let operation = prepare(support::SCHEMA, "{ me { id } }", vec![root(subgraph_name, query)]);
        let response = run(&executor, &operation, None);
        assert!(response.contains(expected), "{query}: {response}");
    }
}
