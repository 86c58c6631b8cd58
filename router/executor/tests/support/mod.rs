//! A fake set of subgraphs: canned answers by subgraph, every request recorded.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use apollo_compiler::executable::OperationType;
use apollo_compiler::{ExecutableDocument, Name, Schema};
use bytes::Bytes;
use fondaco_executor::transport::{SubgraphRequest, SubgraphResponse, Transport, TransportError};
use fondaco_executor::{
    ExecutionRequest, Executor, ExecutorConfig, GraphqlError, PreparedOperation, RequestHeaders,
    SubgraphErrors,
};
use fondaco_planner::query_plan::{
    EntityFetch, Fetch, FetchId, FetchTarget, PathSegment, QueryPlan, Representation, RepresentationField,
};
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{HeaderMap, StatusCode};

pub const SCHEMA: &str = r#"
    type Query { products: [Product!]! product: Product node: Node search: [Result] me: User }
    type Mutation { a: Int b: Int }
    interface Node { id: ID! }
    union Result = Product | User
    type Product implements Node {
        id: ID! name: String price: Money stock: Int! tags(limit: Int, by: [Tag!]): [String!] color: Color
        related: [Product] weight: Float json: JSON flag: Boolean ids: [ID!]
    }
    type Money { amount: Int! currency: String! }
    type User implements Node { id: ID! email: String! name: String! }
    input Tag { label: String }
    enum Color { RED GREEN }
    scalar JSON
"#;

/// Canned answers.
#[derive(Default)]
pub struct Fake {
    answers: Mutex<HashMap<String, VecDeque<Result<Bytes, TransportError>>>>,
    pub requests: Mutex<Vec<(String, String)>>,
}

impl Fake {
    pub fn new(answers: &[(&str, &str)]) -> Self {
        let fake = Self::default();
        for (subgraph, body) in answers {
            fake.push(subgraph, Ok(Bytes::from((*body).to_owned())));
        }
        fake
    }

    pub fn push(&self, subgraph: &str, answer: Result<Bytes, TransportError>) {
        self.answers
            .lock()
            .unwrap()
            .entry(subgraph.to_owned())
            .or_default()
            .push_back(answer);
    }
}

impl Transport for Fake {
    fn call(&self, request: SubgraphRequest) -> BoxFuture<'_, Result<SubgraphResponse, TransportError>> {
        let name = request.subgraph.to_string();
        let body = String::from_utf8(request.body.to_vec()).unwrap();
        self.requests.lock().unwrap().push((name.clone(), body));
        let answer = self
            .answers
            .lock()
            .unwrap()
            .get_mut(&name)
            .and_then(VecDeque::pop_front);
        let answer =
            answer.unwrap_or_else(|| Err(TransportError::Unreachable("connection refused".to_owned())));
        let answer = answer.map(|body| SubgraphResponse {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body,
        });
        std::future::ready(answer).boxed()
    }
}

pub struct NoHeaders;

impl RequestHeaders for NoHeaders {
    fn headers(&self, _subgraph: &str, _path: &str) -> HeaderMap {
        HeaderMap::new()
    }
}

pub fn name(name: &str) -> Name {
    Name::new(name).unwrap()
}

/// A fetch of root fields.
pub fn root(subgraph: &str, operation: &str) -> Fetch {
    let operation_type = if operation.starts_with("mutation") {
        OperationType::Mutation
    } else {
        OperationType::Query
    };
    Fetch {
        subgraph: subgraph.into(),
        depends_on: Vec::new(),
        operation_type,
        operation: operation.into(),
        operation_name: None,
        variables: Vec::new(),
        conditions: Vec::new(),
        target: FetchTarget::Root,
        output_rewrites: Vec::new(),
    }
}

/// A fetch of entities by `id` at a dotted path, after fetch 0.
pub fn entities(subgraph: &str, path: &str, types: &[&str], operation: &str) -> Fetch {
    let mut fetch = root(subgraph, operation);
    fetch.depends_on = vec![FetchId(0)];
    fetch.target = FetchTarget::Entities(vec![selection("_entities", "representations", path, types)]);
    fetch
}

/// One `_entities` selection by `id`.
pub fn selection(key: &str, variable: &str, path: &str, types: &[&str]) -> EntityFetch {
    EntityFetch {
        response_key: name(key),
        variable: name(variable),
        paths: vec![path.split('.').map(|key| PathSegment::Key(name(key))).collect()],
        representations: types
            .iter()
            .map(|ty| Representation {
                on_types: vec![name(ty)],
                typename: name(ty),
                fields: vec![field("id", true)],
            })
            .collect(),
        conditions: Vec::new(),
        contexts: Vec::new(),
    }
}

pub fn field(key: &str, is_key: bool) -> RepresentationField {
    RepresentationField {
        response_key: name(key),
        name: name(key),
        is_key,
        fields: Vec::new(),
        on_types: Vec::new(),
    }
}

pub fn plan(fetches: Vec<Fetch>) -> QueryPlan {
    QueryPlan {
        operation_type: OperationType::Query,
        fetches,
        search_exhausted: false,
        override_labels: Vec::new(),
    }
}

pub fn prepare(schema: &str, operation: &str, fetches: Vec<Fetch>) -> PreparedOperation {
    let schema = Schema::parse_and_validate(schema, "schema.graphql").unwrap();
    let document = ExecutableDocument::parse_and_validate(&schema, operation, "operation.graphql").unwrap();
    PreparedOperation::new(Arc::new(schema), Arc::new(document), None, plan(fetches)).unwrap()
}

pub fn executor(transport: Arc<dyn Transport>, url: &str, subgraph_errors: SubgraphErrors) -> Executor {
    executor_within(Duration::from_secs(30), transport, url, subgraph_errors)
}

/// An executor with a time limit that tests are meant to reach.
pub fn executor_within(
    timeout: Duration,
    transport: Arc<dyn Transport>,
    url: &str,
    subgraph_errors: SubgraphErrors,
) -> Executor {
    let urls = ["a", "b", "c"].map(|name| (Arc::from(name), url.parse().unwrap()));
    Executor::new(
        urls,
        transport,
        ExecutorConfig {
            timeout,
            max_response_bytes: 100_000,
            subgraph_errors,
        },
    )
}

pub fn run(executor: &Executor, operation: &PreparedOperation, variables: Option<&str>) -> String {
    run_with(executor, operation, variables, Vec::new())
}

pub fn run_with(
    executor: &Executor,
    operation: &PreparedOperation,
    variables: Option<&str>,
    errors: Vec<GraphqlError>,
) -> String {
    let request = ExecutionRequest {
        variables,
        headers: &NoHeaders,
        errors,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let response = runtime.block_on(executor.execute(operation, request));
    String::from_utf8(response.to_json()).unwrap()
}

/// Runs `operation` on canned answers: the requests made, then the response, one line each.
pub fn transcript(
    operation: &str,
    fetches: Vec<Fetch>,
    answers: &[(&str, &str)],
    variables: Option<&str>,
) -> String {
    let fake = Arc::new(Fake::new(answers));
    let executor = executor(fake.clone(), "http://subgraph/graphql", SubgraphErrors::Expose);
    let response = run(&executor, &prepare(SCHEMA, operation, fetches), variables);
    let requests = fake.requests.lock().unwrap();
    let mut lines: Vec<_> = requests
        .iter()
        .map(|(name, body)| format!("{name} < {body}"))
        .collect();
    lines.push(response);
    lines.join("\n") + "\n"
}
