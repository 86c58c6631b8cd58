//! The driver: coerce the variables, run the graph of fetches, finish the response.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Uri};

use crate::prepared::PreparedOperation;
use crate::response::{GraphqlError, Response};
use crate::transport::Transport;

/// Runs prepared operations against the subgraphs of one supergraph.
pub struct Executor {
    urls: HashMap<Arc<str>, Uri>,
    transport: Arc<dyn Transport>,
    config: ExecutorConfig,
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
        let _ = (&self.urls, &self.transport, &self.config, operation);
        Response::request_error(request.errors)
    }
}
