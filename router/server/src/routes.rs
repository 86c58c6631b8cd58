//! The router's addresses and what answers at each.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use fondaco_executor::transport::Transport;
use futures::FutureExt;
use http::header::{CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::request::Parts;
use http::{HeaderValue, Method, Request, StatusCode};
use tokio_util::sync::CancellationToken;

use crate::active_supergraph::ActiveSupergraph;
use crate::auth::jwt::Authenticator;
use crate::body;
use crate::client_address::client_address;
use crate::config::{RouterConfig, SessionCookieConfig};
use crate::cors;
use crate::error::RequestError;
use crate::graphql_over_http;
use crate::header_rules::HeaderRules;
use crate::headers::{self, REQUEST_ID, SubgraphHeaders};
use crate::identity::CallerSigner;
use crate::media_type::Format;
use crate::operation_log::OperationLog;
use crate::pipeline::{self, Asker};
use crate::playground;
use crate::rate_limit::RateLimits;
use crate::reload::SupergraphSource;
use crate::session_cookie;
use crate::stages::Stages;
use crate::telemetry::RequestLog;

/// What all requests share.
pub struct RouterState {
    /// The configuration.
    pub config: Arc<RouterConfig>,
    /// Where the supergraph comes from.
    pub source: SupergraphSource,
    /// How subgraphs are reached.
    pub transport: Arc<dyn Transport>,
    /// The supergraph in service.
    pub active: ArcSwap<ActiveSupergraph>,
    /// Counts operations, where configured.
    pub operation_log: Option<Arc<OperationLog>>,
    /// The stages of the pipeline.
    pub stages: Arc<Stages>,
    /// Verifies tokens.
    pub authenticator: Authenticator,
    /// How often one client may call.
    pub rate_limits: RateLimits,
    /// Signs callers' identities for the subgraphs there is a secret for.
    pub signer: Arc<CallerSigner>,
    /// Make up the headers that subgraphs get.
    pub header_rules: Arc<HeaderRules>,
    /// Cancelled when the router begins to shut down.
    pub stopping: CancellationToken,
}

/// All routes.
pub fn routes(state: Arc<RouterState>) -> axum::Router {
    let mut graphql = axum::Router::new().route("/graphql", any(serve_graphql));
    if let Some(cookie) = &state.config.authentication.session_cookie {
        graphql = graphql.route(&cookie.path, post(set_session).delete(clear_session));
    }
    if let Some(cors) = cors::layer(&state.config.cors, &state.config.csrf_headers) {
        graphql = graphql.layer(cors);
    }
    let mut routes = graphql.route("/health", get(health)).route("/ready", get(ready));
    if state.config.playground.enabled {
        routes = routes.route("/playground/{*path}", get(playground_asset));
    }
    routes.with_state(state)
}

/// Alive: the process answers.
async fn health() -> Response {
    status(StatusCode::OK, r#"{"status":"ok"}"#)
}

/// Serving: a supergraph is in service and the router is not shutting down.
async fn ready(State(state): State<Arc<RouterState>>) -> Response {
    if state.stopping.is_cancelled() {
        status(StatusCode::SERVICE_UNAVAILABLE, r#"{"status":"stopping"}"#)
    } else {
        status(StatusCode::OK, r#"{"status":"ready"}"#)
    }
}

fn status(status: StatusCode, body: &'static str) -> Response {
    (
        status,
        [(CONTENT_TYPE, HeaderValue::from_static("application/json"))],
        body,
    )
        .into_response()
}

async fn playground_asset(Path(path): Path<String>) -> Response {
    playground::asset(&path)
}

async fn set_session(State(state): State<Arc<RouterState>>, request: Request<Body>) -> Response {
    let (parts, _) = request.into_parts();
    let set = async {
        let address = client_address(&parts, state.config.trusted_proxies);
        state.rate_limits.check_address(address).await?;
        session_cookie::set(session_config(&state)?, &state.authenticator, &parts.headers).await
    };
    set.await
        .unwrap_or_else(|error| graphql_over_http::refused(Format::Json, &error))
}

async fn clear_session(State(state): State<Arc<RouterState>>) -> Response {
    session_config(&state)
        .and_then(session_cookie::clear)
        .unwrap_or_else(|error| graphql_over_http::refused(Format::Json, &error))
}

fn session_config(state: &RouterState) -> Result<&SessionCookieConfig, RequestError> {
    let config = state.config.authentication.session_cookie.as_ref();
    config.ok_or(RequestError::Internal)
}

async fn serve_graphql(State(state): State<Arc<RouterState>>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    if state.config.playground.enabled && graphql_over_http::prefers_html(&parts.method, &parts.headers) {
        return playground::page(&state.config.playground);
    }
    let request_id = headers::request_id(&parts.headers);
    let mut log = RequestLog::start(request_id.clone());
    log.count_in(&state.operation_log, &parts.headers);
    let mut response = answer(&state, parts, body, &request_id, &mut log).await;
    response.headers_mut().insert(REQUEST_ID, request_id);
    response
        .headers_mut()
        .insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    log.finish(response.status());
    response
}

/// Answers within the time limit, whatever happens.
async fn answer(
    state: &Arc<RouterState>,
    parts: Parts,
    body: Body,
    request_id: &HeaderValue,
    log: &mut RequestLog,
) -> Response {
    let format = match graphql_over_http::answer_format(&parts.headers) {
        Ok(format) => format,
        Err(error) => return graphql_over_http::refused(Format::Json, &error),
    };
    let limit = state.config.timeouts.request();
    let run = AssertUnwindSafe(execute(state, parts, body, request_id, format, log)).catch_unwind();
    let result = match tokio::time::timeout(limit, run).await {
        Ok(Ok(result)) => result,
        Ok(Err(_panic)) => {
            tracing::error!(request.id = ?request_id, "request panicked");
            Err(RequestError::Internal)
        }
        Err(_) => Err(RequestError::Timeout {
            ms: state.config.timeouts.request_ms,
        }),
    };
    result.unwrap_or_else(|error| graphql_over_http::refused(format, &error))
}

async fn execute(
    state: &Arc<RouterState>,
    parts: Parts,
    sent: Body,
    request_id: &HeaderValue,
    format: Format,
    log: &mut RequestLog,
) -> Result<Response, RequestError> {
    let address = client_address(&parts, state.config.trusted_proxies);
    state.rate_limits.check_address(address).await?;
    let bytes;
    let request = match parts.method {
        Method::GET => graphql_over_http::from_query_string(&parts.uri)?,
        Method::POST => {
            graphql_over_http::check_content_type(&parts.headers, &state.config.csrf_headers)?;
            bytes = body::read(&parts.headers, sent, state.config.limits.body_bytes).await?;
            graphql_over_http::from_json(&bytes)?
        }
        _ => return Err(RequestError::MethodNotAllowed),
    };
    let caller = state
        .authenticator
        .authenticate(&parts.headers)
        .await?
        .at(address);
    if caller.came_by_cookie() {
        graphql_over_http::check_cookie(&parts.method, &parts.headers, &state.config.csrf_headers)?;
    }
    state.rate_limits.check_caller(&caller).await?;
    let active = state.active.load_full();
    let labels = active.override_rules.decide(&parts.headers, &caller);
    let (rules, signer) = (Arc::clone(&state.header_rules), Arc::clone(&state.signer));
    let headers = SubgraphHeaders::new(rules, parts.headers, request_id.clone(), caller.clone(), signer);
    let asker = Asker { caller, labels };
    pipeline::run(&state.stages, &active, request, &asker, headers, format, log).await
}
