//! Any bytes as the answers of subgraphs: the response is JSON whatever they are.
#![no_main]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use apollo_compiler::ExecutableDocument;
use bytes::Bytes;
use fondaco_executor::transport::{SubgraphRequest, SubgraphResponse, Transport, TransportError};
use fondaco_executor::{ExecutionRequest, Executor, ExecutorConfig, PreparedOperation, RequestHeaders};
use fondaco_planner::{OverrideLabels, Planner, PlannerConfig};
use fondaco_supergraph::Supergraph;
use futures::future::BoxFuture;
use http::{HeaderMap, StatusCode};
use libfuzzer_sys::fuzz_target;

const OPERATION: &str = "query ($details: Boolean = true) {
  products(first: 3) {
    edges {
      node {
        __typename
        name
        variants { sku price { amount currency } availability @include(if: $details) { available } }
      }
    }
  }
}";

static OPERATION_PREPARED: LazyLock<(PreparedOperation, Vec<String>)> = LazyLock::new(|| {
    let sdl = include_str!("../../schema/supergraph.graphql");
    let supergraph = Arc::new(Supergraph::parse(sdl, "supergraph.graphql").expect("the committed supergraph is valid"));
    let schema = supergraph.api_schema().clone();
    let document = ExecutableDocument::parse_and_validate(&schema, OPERATION, "operation.graphql")
        .expect("the operation is valid");
    let names = supergraph.subgraphs().iter().map(|subgraph| subgraph.name.to_string()).collect();
    let plan = Planner::new(supergraph, PlannerConfig::default())
        .plan(&document, None, &OverrideLabels::default())
        .expect("the operation can be planned");
    let prepared = PreparedOperation::new(schema, Arc::new(document), None, plan).expect("the operation is prepared");
    (prepared, names)
});

/// Gives the parts of the input as answers, in turn.
struct Canned {
    answers: Vec<Bytes>,
    next: AtomicUsize,
}

impl Transport for Canned {
    fn call(&self, _request: SubgraphRequest) -> BoxFuture<'_, Result<SubgraphResponse, TransportError>> {
        let body = self.answers.get(self.next.fetch_add(1, Ordering::Relaxed)).cloned().unwrap_or_default();
        Box::pin(async {
            Ok(SubgraphResponse {
                status: StatusCode::OK,
                headers: HeaderMap::new(),
                body,
            })
        })
    }
}

struct NoHeaders;

impl RequestHeaders for NoHeaders {
    fn headers(&self, _subgraph: &str, _path: &str) -> HeaderMap {
        HeaderMap::new()
    }
}

fuzz_target!(|input: &[u8]| {
    let (prepared, names) = &*OPERATION_PREPARED;
    let answers = input.split(|byte| *byte == 0).map(Bytes::copy_from_slice).collect();
    let transport = Arc::new(Canned {
        answers,
        next: AtomicUsize::new(0),
    });
    let urls = names.iter().map(|name| (Arc::from(name.as_str()), http::Uri::from_static("http://subgraph/graphql")));
    let executor = Executor::new(urls, transport, ExecutorConfig::default());
    let request = ExecutionRequest {
        variables: None,
        headers: &NoHeaders,
        errors: Vec::new(),
    };
    let response = futures::executor::block_on(executor.execute(prepared, request)).to_json();
    let read: Result<serde_json::Value, _> = serde_json::from_slice(&response);
    assert!(read.is_ok(), "{}", String::from_utf8_lossy(&response));
});
