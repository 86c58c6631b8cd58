//! The axum router around a schema: `POST /graphql`, `/health`, `/ready`; the stages of a request in order.

use std::{sync::Arc, time::Duration};

use async_graphql::{EmptySubscription, ObjectType, Schema, ServerError};
use async_graphql_axum::GraphQLResponse;
use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest, Request, State, rejection::BytesRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use futures::{FutureExt, future::BoxFuture};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};
use tracing::Instrument;

pub use readiness::Readiness;

use crate::{
    caller::{Caller, ClientAddress},
    federation,
    identity::{CALLER_HEADER, Identity, InvalidCaller},
    pulse::Pulse,
    request_id::{REQUEST_ID_HEADER, RequestId},
    runtime::Runtime,
    service::Tasks,
};

mod documents;
mod readiness;

use documents::Documents;

const MAX_BODY_BYTES: usize = 2 * 1024 * 1024;
/// Few enough that nobody waits long for one of the pool's connections; the rest of a rush queues here, where waiting is cheap.
const MAX_RUNNING: usize = 256;
const QUEUE_TIMEOUT: Duration = Duration::from_secs(10);
const BODY_TIMEOUT: Duration = Duration::from_secs(5);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(25);
/// What can be answered without a Postgres that is away is answered in this time.
const WITHOUT_DATABASE: Duration = Duration::from_millis(250);

type Execute =
    Arc<dyn Fn(async_graphql::Request) -> BoxFuture<'static, async_graphql::Response> + Send + Sync>;
type RequestData = Arc<dyn Fn(async_graphql::Request) -> async_graphql::Request + Send + Sync>;

/// Builds the router that serves one subgraph's schema.
pub struct GraphqlServer {
    service: &'static str,
    identity: Identity,
    require_identity: bool,
    tasks: Tasks,
    execute: Execute,
    request_data: RequestData,
    readiness: Readiness,
    sdl: PublishedSdl,
}

impl GraphqlServer {
    /// A server for `schema`; running requests count among `tasks`, so that stopping waits for them.
    pub fn new<Q, M>(
        runtime: &Runtime,
        tasks: &Tasks,
        service: &'static str,
        schema: Schema<Q, M, EmptySubscription>,
    ) -> Self
    where
        Q: ObjectType + 'static,
        M: ObjectType + 'static,
    {
        let sdl = PublishedSdl {
            exported: federation::unpublished_sdl(&schema),
            published: federation::sdl(&schema),
        };
        let execute: Execute = Arc::new(move |request| {
            let schema = schema.clone();
            async move { schema.execute(request).await }.boxed()
        });
        Self {
            service,
            identity: runtime.identity.clone(),
            require_identity: runtime.require_identity,
            tasks: tasks.clone(),
            execute,
            request_data: Arc::new(|request| request),
            readiness: Readiness::default(),
            sdl,
        }
    }

    /// What `/ready` asks before it answers 200.
    #[must_use]
    pub fn readiness(mut self, readiness: Readiness) -> Self {
        self.readiness = readiness;
        self
    }

    /// Adds data that lives for one request, above all data loaders.
    #[must_use]
    pub fn request_data(
        mut self,
        add: impl Fn(async_graphql::Request) -> async_graphql::Request + Send + Sync + 'static,
    ) -> Self {
        self.request_data = Arc::new(add);
        self
    }

    /// The finished router.
    pub fn into_router(self) -> Router {
        let readiness = self.readiness;
        let pulse = Pulse::new(self.identity.clock().clone());
        if let Some(pool) = readiness.pool() {
            let (pulse, options) = (pulse.clone(), pool.connect_options());
            self.tasks.spawn("pulse", |stop| async move {
                pulse.watch((*options).clone(), stop).await
            });
        }
        let shared = Arc::new(Shared {
            service: self.service,
            identity: self.identity,
            require_identity: self.require_identity,
            tasks: self.tasks,
            pulse,
            permits: Arc::new(Semaphore::new(MAX_RUNNING)),
            execute: self.execute,
            request_data: self.request_data,
            documents: Documents::new(),
            sdl: self.sdl,
        });
        Router::new()
            .route(
                "/graphql",
                post(graphql).layer(DefaultBodyLimit::max(MAX_BODY_BYTES)),
            )
            .with_state(shared)
            .route(
                "/health",
                get(async || Json(serde_json::json!({ "status": "ok" }))),
            )
            .route("/ready", get(move || readiness.clone().answer()))
    }
}

struct Shared {
    service: &'static str,
    identity: Identity,
    require_identity: bool,
    tasks: Tasks,
    pulse: Pulse,
    permits: Arc<Semaphore>,
    execute: Execute,
    request_data: RequestData,
    documents: Documents,
    sdl: PublishedSdl,
}

/// The stages of a request: identify, admit, read, execute.
async fn graphql(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let request_id = RequestId::from_headers(request.headers());
    let span = tracing::info_span!(
        "request",
        service = shared.service,
        request.id = request_id.as_str()
    );
    let answered = answer(shared, request, request_id.clone()).instrument(span).await;
    let mut response = answered.unwrap_or_else(IntoResponse::into_response);
    if let Ok(value) = HeaderValue::from_str(request_id.as_str()) {
        response.headers_mut().insert(REQUEST_ID_HEADER, value);
    }
    response
}

async fn answer(shared: Arc<Shared>, request: Request, id: RequestId) -> Result<Response, Refusal> {
    let (caller, address) = identify(&shared, request.headers())?;
    require_json(request.headers())?;
    let permit = admit(&shared).await?;
    let request = shared.documents.attach(read(request).await?);
    let request = (shared.request_data)(request.data(caller).data(address).data(id.clone()));
    let response = execute(shared, request, id, permit).await?;
    Ok(GraphQLResponse::from(response).into_response())
}

fn identify(shared: &Shared, headers: &HeaderMap) -> Result<(Caller, ClientAddress), Refusal> {
    if shared.require_identity && !headers.contains_key(CALLER_HEADER) {
        tracing::warn!("a call that nobody signed was refused");
        return Err(Refusal::UnknownCaller);
    }
    Caller::from_headers(headers, &shared.identity, shared.service).map_err(|error| {
        tracing::warn!(error.cause = %error, "caller refused");
        match error {
            InvalidCaller::Clock(_) => Refusal::ClocksDiffer(error.to_string()),
            _ => Refusal::UnknownCaller,
        }
    })
}

/// A browser sends other media types across origins without asking first.
fn require_json(headers: &HeaderMap) -> Result<(), Refusal> {
    let media_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    let essence = media_type.split(';').next().unwrap_or("").trim();
    if essence.eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        Err(Refusal::NotJson)
    }
}

/// Nobody queues behind requests that wait for a Postgres that is away.
async fn admit(shared: &Shared) -> Result<OwnedSemaphorePermit, Refusal> {
    let place = timeout(QUEUE_TIMEOUT, Arc::clone(&shared.permits).acquire_owned());
    tokio::select! {
        biased;
        place = place => match place {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(Refusal::Busy),
        },
        () = shared.pulse.lost() => Err(Refusal::DatabaseAway),
    }
}

/// Whoever sends slowly must not keep a place that others wait for.
async fn read(request: Request) -> Result<async_graphql::Request, Refusal> {
    let body = timeout(BODY_TIMEOUT, Bytes::from_request(request, &()))
        .await
        .map_err(|_| Refusal::SlowBody)??;
    // Serde would take an array for the fields in their order.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(Refusal::Malformed);
    }
    serde_json::from_slice(&body).map_err(|_| Refusal::Malformed)
}

/// Runs in a task of its own: a caller who hangs up must not stop a purchase halfway, and a panic must not take more than its request.
async fn execute(
    shared: Arc<Shared>,
    request: async_graphql::Request,
    id: RequestId,
    permit: OwnedSemaphorePermit,
) -> Result<async_graphql::Response, Refusal> {
    let executed = {
        let execute = (shared.execute)(request);
        async move {
            let response = execute.await;
            drop(permit);
            response
        }
    };
    let task = shared.tasks.tracker().spawn(id.scope(executed).in_current_span());
    let ended = tokio::select! {
        biased;
        ended = task => ended,
        () = given_up(&shared.pulse) => return Err(Refusal::DatabaseAway),
        () = sleep(REQUEST_TIMEOUT) => return Err(Refusal::TimedOut),
    };
    match ended {
        Ok(mut response) => {
            shared.sdl.substitute(&mut response.data);
            response.errors.iter_mut().for_each(classify);
            Ok(response)
        }
        Err(panic) => {
            tracing::error!(error.cause = %panic, "a resolver panicked");
            Err(Refusal::Panicked)
        }
    }
}

/// What waits when Postgres goes has waited long enough; what begins while it is away may yet find its answer elsewhere.
async fn given_up(pulse: &Pulse) {
    let began_without = pulse.is_away();
    pulse.lost().await;
    if began_without {
        sleep(WITHOUT_DATABASE).await;
    }
}

/// Errors of async-graphql itself carry no code: they are about the operation or its variables.
fn classify(error: &mut ServerError) {
    let extensions = error.extensions.get_or_insert_default();
    if extensions.get("code").is_none() {
        extensions.set("code", "BAD_USER_INPUT");
    }
}

/// Swaps the SDL async-graphql exports for the one we publish in answers to `{ _service { sdl } }`.
struct PublishedSdl {
    exported: String,
    published: String,
}

impl PublishedSdl {
    fn substitute(&self, data: &mut async_graphql::Value) {
        let async_graphql::Value::Object(fields) = data else {
            return;
        };
        for field in fields.values_mut() {
            let async_graphql::Value::Object(inner) = field else {
                continue;
            };
            for value in inner.values_mut() {
                if matches!(value, async_graphql::Value::String(text) if *text == self.exported) {
                    *value = async_graphql::Value::String(self.published.clone());
                }
            }
        }
    }
}

/// Why a request never reached the schema.
enum Refusal {
    UnknownCaller,
    ClocksDiffer(String),
    DatabaseAway,
    NotJson,
    Malformed,
    SlowBody,
    TooLarge,
    Busy,
    TimedOut,
    Panicked,
}

impl From<BytesRejection> for Refusal {
    fn from(rejection: BytesRejection) -> Self {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge,
            _ => Self::Malformed,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, code, message) = match self {
            Self::UnknownCaller => (
                StatusCode::UNAUTHORIZED,
                "UNAUTHENTICATED",
                "the caller's identity is invalid",
            ),
            Self::ClocksDiffer(message) => {
                return refusal(StatusCode::UNAUTHORIZED, "CLOCKS_DIFFER", &message);
            }
            Self::DatabaseAway => (
                StatusCode::SERVICE_UNAVAILABLE,
                "TEMPORARILY_UNAVAILABLE",
                "temporarily unavailable, try again",
            ),
            Self::NotJson => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "BAD_USER_INPUT",
                "send the request as application/json",
            ),
            Self::Malformed => (
                StatusCode::BAD_REQUEST,
                "BAD_USER_INPUT",
                "the body is not a GraphQL request",
            ),
            Self::SlowBody => (
                StatusCode::REQUEST_TIMEOUT,
                "BAD_USER_INPUT",
                "the body took too long to arrive",
            ),
            Self::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "PAYLOAD_TOO_LARGE",
                "the body is too large",
            ),
            Self::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "TEMPORARILY_UNAVAILABLE",
                "too many requests at once",
            ),
            Self::TimedOut => (
                StatusCode::GATEWAY_TIMEOUT,
                "TEMPORARILY_UNAVAILABLE",
                "the request took too long",
            ),
            Self::Panicked => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "INTERNAL_SERVER_ERROR",
                "internal server error",
            ),
        };
        refusal(status, code, message)
    }
}

fn refusal(status: StatusCode, code: &str, message: &str) -> Response {
    let body = serde_json::json!({ "errors": [{ "message": message, "extensions": { "code": code } }] });
    (status, Json(body)).into_response()
}
