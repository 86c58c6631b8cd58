//! Calls subgraphs that are services of this process: no sockets.

use std::collections::HashMap;
use std::error::Error;
use std::fmt::Display;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper::body::Body;
use tokio::task::JoinSet;
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt};

use crate::body::read_body;
use crate::transport::{SubgraphRequest, SubgraphResponse, Transport, TransportError, http_request, within};

type BoxError = Box<dyn Error + Send + Sync>;
type Subgraph = BoxCloneSyncService<Request<Full<Bytes>>, Response<UnsyncBoxBody<Bytes, BoxError>>, BoxError>;

/// Subgraphs by name, each a tower service of HTTP requests.
#[derive(Default)]
pub struct InProcessTransport {
    subgraphs: HashMap<String, Subgraph>,
}

impl InProcessTransport {
    /// No subgraphs yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Connects a subgraph. An `axum::Router` is such a service.
    pub fn with<S, B>(mut self, name: impl Into<String>, service: S) -> Self
    where
        S: Service<Request<Full<Bytes>>, Response = Response<B>> + Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
        S::Error: Into<BoxError>,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let service = service
            .map_response(|response: Response<B>| {
                response.map(|body| body.map_err(Into::into).boxed_unsync())
            })
            .map_err(Into::into);
        self.subgraphs
            .insert(name.into(), BoxCloneSyncService::new(service));
        self
    }
}

impl Transport for InProcessTransport {
    fn call(&self, request: SubgraphRequest) -> BoxFuture<'_, Result<SubgraphResponse, TransportError>> {
        let Some(service) = self.subgraphs.get(&*request.subgraph).cloned() else {
            return std::future::ready(Err(TransportError::Unknown(request.subgraph))).boxed();
        };
        Box::pin(within(request.timeout, spawned(exchange(service, request))))
    }
}

async fn exchange(service: Subgraph, request: SubgraphRequest) -> Result<SubgraphResponse, TransportError> {
    let limit = request.max_response_bytes;
    let response = service
        .oneshot(http_request(request))
        .await
        .map_err(unreachable)?;
    let (parts, body) = response.into_parts();
    let body = read_body(body, limit).await?;
    Ok(SubgraphResponse {
        status: parts.status,
        headers: parts.headers,
        body,
    })
}

/// Runs the service as a task of its own, so that calls use several cores and a panic stays the subgraph's;
/// dropping the returned future stops the task.
async fn spawned(
    exchange: impl Future<Output = Result<SubgraphResponse, TransportError>> + Send + 'static,
) -> Result<SubgraphResponse, TransportError> {
    let mut task = JoinSet::new();
    task.spawn(exchange);
    let joined = task.join_next().await.expect("one task was spawned");
    joined.unwrap_or_else(|error| Err(unreachable(error)))
}

fn unreachable(error: impl Display) -> TransportError {
    TransportError::Unreachable(error.to_string())
}
