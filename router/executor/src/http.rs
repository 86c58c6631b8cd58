//! Calls subgraphs over HTTP: pooled connections, HTTP/1.1 keep-alive, HTTP/2 where TLS negotiates it.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::body::read_body;
use crate::transport::{SubgraphRequest, SubgraphResponse, Transport, TransportError, http_request, within};

/// Settings of [`HttpTransport`].
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// Longest time to connect, TLS included in the request's own time limit.
    pub connect_timeout: Duration,
    /// How long an idle connection is kept.
    pub pool_idle_timeout: Duration,
    /// Idle connections kept for each subgraph host.
    pub pool_max_idle_per_host: usize,
    /// Speak HTTP/2 on plain connections too, without negotiation.
    pub http2_prior_knowledge: bool,
}

/// A pooled HTTP client. Clones share the pool.
#[derive(Debug, Clone)]
pub struct HttpTransport {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(2),
            // Before the subgraph's server closes it: ours keep them for 30 s.
            pool_idle_timeout: Duration::from_secs(20),
            pool_max_idle_per_host: 256,
            http2_prior_knowledge: false,
        }
    }
}

impl HttpTransport {
    /// A client with an empty pool.
    pub fn new(config: &HttpConfig) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(config.pool_idle_timeout)
            .pool_max_idle_per_host(config.pool_max_idle_per_host)
            .http2_only(config.http2_prior_knowledge)
            .build(connector(config));
        Self { client }
    }

    async fn exchange(&self, request: SubgraphRequest) -> Result<SubgraphResponse, TransportError> {
        let limit = request.max_response_bytes;
        let response = self
            .client
            .request(http_request(request))
            .await
            .map_err(|error| {
                if error.is_connect() {
                    TransportError::Unreachable(innermost(&error))
                } else {
                    TransportError::BrokenOff(innermost(&error))
                }
            })?;
        let (parts, body) = response.into_parts();
        let body = read_body(body, limit).await?;
        Ok(SubgraphResponse {
            status: parts.status,
            headers: parts.headers,
            body,
        })
    }
}

impl Transport for HttpTransport {
    fn call(&self, request: SubgraphRequest) -> BoxFuture<'_, Result<SubgraphResponse, TransportError>> {
        Box::pin(within(request.timeout, self.exchange(request)))
    }
}

fn connector(config: &HttpConfig) -> HttpsConnector<HttpConnector> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(config.connect_timeout));
    HttpsConnectorBuilder::new()
        .with_webpki_roots()
        .https_or_http()
        .enable_all_versions()
        .wrap_connector(tcp)
}

/// The cause at the bottom, which says what happened; the layers above only say that something did.
fn innermost(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
