//! The driver: coerce the variables, run the graph of fetches, finish the response.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Uri};

use crate::complete::complete;
use crate::introspection::introspect;
use crate::prepared::PreparedOperation;
use crate::response::{GraphqlError, Response};
use crate::run::Run;
use crate::transport::Transport;
use crate::value::{Value, unescape_names};

/// Runs prepared operations against the subgraphs of one supergraph.
pub struct Executor {
    pub(crate) urls: HashMap<Arc<str>, Uri>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) config: ExecutorConfig,
}

/// Limits and policies of execution.
#[derive(Debug, Clone)]
pub struct ExecutorConfig {
    /// Longest time one subgraph request may take, from connecting to the last byte.
    pub timeout: Duration,
    /// Largest subgraph answer accepted, in bytes.
    pub max_response_bytes: usize,
    /// What clients see of the errors that subgraphs report.
    pub subgraph_errors: SubgraphErrors,
}

/// What clients see of the errors that subgraphs report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubgraphErrors {
    /// Message and extensions as the subgraph sent them.
    Expose,
    /// A general message; of the extensions only `code`.
    Mask,
}

/// One request for a prepared operation.
pub struct ExecutionRequest<'a> {
    /// JSON text of the request's `variables`, if it has any.
    pub variables: Option<&'a str>,
    /// Headers for each subgraph.
    pub headers: &'a dyn RequestHeaders,
    /// Errors found before execution, such as fields the caller may not see. They come first in the response.
    pub errors: Vec<GraphqlError>,
}

/// Supplies the headers a subgraph is called with: identity, request id, whatever is propagated.
pub trait RequestHeaders: Send + Sync {
    /// Headers for one call of `subgraph` at the URL path `path`.
    fn headers(&self, subgraph: &str, path: &str) -> HeaderMap;
}

impl Default for ExecutorConfig {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            max_response_bytes: 16 * 1024 * 1024,
            subgraph_errors: SubgraphErrors::Expose,
        }
    }
}

impl Executor {
    /// An executor that reaches each subgraph at its URL through `transport`.
    pub fn new(
        urls: impl IntoIterator<Item = (Arc<str>, Uri)>,
        transport: Arc<dyn Transport>,
        config: ExecutorConfig,
    ) -> Self {
        Self {
            urls: urls.into_iter().collect(),
            transport,
            config,
        }
    }

    /// Runs one request. Never fails: what goes wrong is in the response's errors.
    pub async fn execute(&self, operation: &PreparedOperation, request: ExecutionRequest<'_>) -> Response {
        let ExecutionRequest {
            variables,
            headers,
            mut errors,
        } = request;
        let unescaped = variables.and_then(unescape_names);
        let coerced = operation
            .variables
            .coerce(&operation.schema, unescaped.as_deref().or(variables));
        let variables = match coerced {
            Ok(variables) => variables,
            Err(errors) => return Response::request_error(errors),
        };
        let initial = errors.len();

        // Values borrow from the answers they came in, so the answers live here, one slot for each fetch.
        let answers: Vec<OnceLock<Bytes>> = operation.plan.fetches.iter().map(|_| OnceLock::new()).collect();
        let introspection = match operation.has_introspection {
            true => introspect(operation, &variables),
            false => (None, Vec::new()),
        };
        errors.extend(introspection.1);

        let mut run = Run::new(self, operation, &variables, headers, &answers, errors);
        if let Some(json) = &introspection.0 {
            run.merge_root(Value::parse(json).expect("introspection writes JSON"));
        }
        run.run_fetches().await;
        let (data, mut errors) = run.into_parts();

        let conditions = operation.projection.condition_values(&variables);
        let data = complete(&operation.projection, &conditions, &data, &mut errors, initial);
        Response {
            data: Some(data),
            errors,
        }
    }
}
