//! How a subgraph is called: the one seam between execution and the network.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::Full;

/// One GraphQL-over-HTTP POST to a subgraph.
#[derive(Debug, Clone)]
pub struct SubgraphRequest {
    /// Name of the subgraph, for routing and for messages.
    pub subgraph: Arc<str>,
    /// Where to send it: the supergraph's routing URL, or its override by configuration.
    pub url: Uri,
    /// Headers beyond `content-type` and `accept`, which the transport sets.
    pub headers: HeaderMap,
    /// JSON body.
    pub body: Bytes,
    /// Longest time the whole exchange may take.
    pub timeout: Duration,
    /// Largest answer accepted, in bytes.
    pub max_response_bytes: usize,
}

/// The subgraph's answer, whole.
#[derive(Debug, Clone)]
pub struct SubgraphResponse {
    /// HTTP status.
    pub status: StatusCode,
    /// HTTP headers.
    pub headers: HeaderMap,
    /// Body, not yet parsed.
    pub body: Bytes,
}

/// Why no answer came.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// Connection refused, reset, name not resolved, TLS failure.
    #[error("the subgraph could not be reached: {0}")]
    Unreachable(String),
    /// The connection broke inside the answer.
    #[error("the subgraph's answer broke off: {0}")]
    BrokenOff(String),
    /// No complete answer within the time limit.
    #[error("the subgraph did not answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
    /// The answer is larger than allowed.
    #[error("the subgraph's answer is larger than {0} bytes")]
    TooLarge(usize),
    /// No route to a subgraph of that name.
    #[error("no subgraph named `{0}` is connected")]
    Unknown(Arc<str>),
}

/// Sends requests to subgraphs: over HTTP, or to services in the same process.
pub trait Transport: Send + Sync {
    /// Sends one request and reads the whole answer.
    fn call(&self, request: SubgraphRequest) -> BoxFuture<'_, Result<SubgraphResponse, TransportError>>;
}

/// The HTTP request a subgraph request stands for.
pub(crate) fn http_request(request: SubgraphRequest) -> Request<Full<Bytes>> {
    let mut message = Request::new(Full::new(request.body));
    *message.method_mut() = Method::POST;
    *message.uri_mut() = request.url;
    *message.headers_mut() = request.headers;
    message
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    message.headers_mut().insert(
        ACCEPT,
        HeaderValue::from_static("application/graphql-response+json, application/json;q=0.9"),
    );
    message
}

/// Ends `exchange` when it takes longer than `limit`.
pub(crate) async fn within<T>(
    limit: Duration,
    exchange: impl Future<Output = Result<T, TransportError>>,
) -> Result<T, TransportError> {
    tokio::time::timeout(limit, exchange)
        .await
        .unwrap_or(Err(TransportError::TimedOut(limit)))
}
