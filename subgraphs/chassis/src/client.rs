//! GraphQL calls from service to service: signed, with a deadline, repeated with jitter where a repetition is harmless, refused at once
//! where the other service has not answered for a while ([`breaker`]).

mod breaker;

use std::{error::Error as StdError, sync::Arc, time::Duration};

use axum::body::Body;
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use rand::RngExt;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use tokio::time::{Instant, sleep, timeout_at};
use tower::ServiceExt;

use self::breaker::Breaker;
use crate::{
    caller::Caller,
    error::chain,
    identity::{CALLER_HEADER, Identity},
    peers::{Peer, Peers},
    request_id::{REQUEST_ID_HEADER, RequestId},
    runtime::Runtime,
};

const DEADLINE: Duration = Duration::from_secs(3);
/// Before the peer closes it, so that no call is sent on a connection that is just being closed.
const IDLE_CONNECTION: Duration = Duration::from_secs(20);
const MAX_ATTEMPTS: u32 = 3;
const FIRST_PAUSE_MS: u64 = 25;
const MAX_RESPONSE_BYTES: usize = 8 * 1024 * 1024;

/// May a call be made again when its outcome is unknown?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Repeat {
    /// A query, or a mutation that carries an idempotency key.
    Safe,
    /// Anything else: repeated only where the first call surely never arrived.
    Never,
}

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// It surely never arrived: nobody listens, or the name is not known yet.
    #[error("{service} cannot be reached: {message}")]
    NotSent {
        /// The service called.
        service: &'static str,
        /// Why.
        message: String,
    },
    /// It may or may not have had its effect.
    #[error("{service} did not answer: {message}")]
    Lost {
        /// The service called.
        service: &'static str,
        /// Why.
        message: String,
    },
    /// The service answered with a GraphQL error.
    #[error("{service} refused with {code}: {message}")]
    Refused {
        /// The service called.
        service: &'static str,
        /// `extensions.code` of the first error, or `UNKNOWN`.
        code: String,
        /// The first error's message.
        message: String,
    },
    /// The answer is not what the operation asked for: the two services disagree about the schema.
    #[error("{service} gave an answer that cannot be read: {message}")]
    Malformed {
        /// The service called.
        service: &'static str,
        /// Why.
        message: String,
    },
}

impl CallError {
    /// May the same call succeed a moment later?
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::NotSent { .. } | Self::Lost { .. } => true,
            Self::Refused { code, .. } => code == "TEMPORARILY_UNAVAILABLE",
            Self::Malformed { .. } => false,
        }
    }

    /// Is it certain that the call had no effect?
    pub fn had_no_effect(&self) -> bool {
        matches!(self, Self::NotSent { .. })
    }
}

/// Calls one service on behalf of another. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ServiceClient {
    from: &'static str,
    to: &'static str,
    identity: Identity,
    peers: Peers,
    http: reqwest::Client,
    deadline: Duration,
    breaker: Arc<Breaker>,
}

impl ServiceClient {
    /// A client by which the service `from` calls the service `to`.
    pub fn new(runtime: &Runtime, from: &'static str, to: &'static str) -> Self {
        Self {
            from,
            to,
            identity: runtime.identity.clone(),
            peers: runtime.peers.clone(),
            http: http_client(),
            deadline: DEADLINE,
            breaker: Arc::default(),
        }
    }

    /// Changes how long a call may take with all its repetitions; 3 s by default.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Runs `operation` and reads its `data` as `T`.
    pub async fn call<T: DeserializeOwned>(
        &self,
        operation: &str,
        variables: &impl Serialize,
        repeat: Repeat,
    ) -> Result<T, CallError> {
        let body = serde_json::to_vec(&OutgoingRequest {
            query: operation,
            variables,
        })
        .map_err(|error| self.malformed(&error))?;
        self.send_with_retries(Bytes::from(body), repeat).await
    }

    async fn send_with_retries<T: DeserializeOwned>(
        &self,
        body: Bytes,
        repeat: Repeat,
    ) -> Result<T, CallError> {
        let deadline = Instant::now() + self.deadline;
        let mut attempt = 1;
        loop {
            let sent = self.attempt(body.clone(), deadline).await;
            let error = match sent.and_then(|answer| self.read_answer(&answer)) {
                Ok(data) => return Ok(data),
                Err(error) => error,
            };
            let may_repeat = error.had_no_effect() || (repeat == Repeat::Safe && error.is_retryable());
            let pause = backoff(attempt);
            if !may_repeat || attempt == MAX_ATTEMPTS || Instant::now() + pause >= deadline {
                return Err(error);
            }
            sleep(pause).await;
            attempt += 1;
        }
    }

    /// One attempt, unless the service is left alone.
    async fn attempt(&self, body: Bytes, deadline: Instant) -> Result<Bytes, CallError> {
        let permit = self
            .breaker
            .admit()
            .ok_or_else(|| self.not_sent("it has not answered for a while"))?;
        let sent = timeout_at(deadline, self.send(body))
            .await
            .unwrap_or_else(|_| Err(self.lost("the deadline passed")));
        match &sent {
            Err(CallError::NotSent { .. } | CallError::Lost { .. }) => {
                if permit.failed() {
                    tracing::warn!(
                        peer = self.to,
                        "a service does not answer: it is left alone for a moment"
                    );
                }
            }
            _ => {
                if permit.answered() {
                    tracing::info!(peer = self.to, "a service answers again");
                }
            }
        }
        sent
    }

    async fn send(&self, body: Bytes) -> Result<Bytes, CallError> {
        let peer = self
            .peers
            .get(self.to)
            .ok_or_else(|| self.not_sent("no such peer is configured"))?;
        let caller = self.identity.sign(
            &Caller::Service {
                name: self.from.to_owned(),
            },
            self.to,
        );
        let request_id = RequestId::current();
        let url = match &peer {
            Peer::Http(url) => url.as_str(),
            Peer::Local(_) => "/graphql",
        };
        let mut request = Request::post(url)
            .header(header::CONTENT_TYPE, "application/json")
            .header(CALLER_HEADER, caller);
        if let Some(id) = &request_id {
            request = request.header(REQUEST_ID_HEADER, id.as_str());
        }
        match peer {
            Peer::Http(_) => self.send_http(request, body).await,
            Peer::Local(router) => self.send_local(router, request, body).await,
        }
    }

    async fn send_http(&self, request: http::request::Builder, body: Bytes) -> Result<Bytes, CallError> {
        let request = request.body(body).map_err(|error| self.not_sent(error))?;
        let request = reqwest::Request::try_from(request).map_err(|error| self.not_sent(chain(&error)))?;
        let response = self.http.execute(request).await.map_err(|error| {
            if error.is_connect() {
                self.not_sent(chain(&error))
            } else {
                self.lost(chain(&error))
            }
        })?;
        self.check_status(response.status())?;
        self.read_body(reqwest::Body::from(response)).await
    }

    async fn send_local(
        &self,
        router: axum::Router,
        request: http::request::Builder,
        body: Bytes,
    ) -> Result<Bytes, CallError> {
        let request = request
            .body(Body::from(body))
            .map_err(|error| self.not_sent(error))?;
        let Ok(response) = router.oneshot(request).await;
        self.check_status(response.status())?;
        self.read_body(response.into_body()).await
    }

    async fn read_body<B>(&self, body: B) -> Result<Bytes, CallError>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let collected = Limited::new(body, MAX_RESPONSE_BYTES).collect().await;
        collected
            .map(|body| body.to_bytes())
            .map_err(|error| self.lost(error))
    }

    fn check_status(&self, status: StatusCode) -> Result<(), CallError> {
        match status {
            StatusCode::OK => Ok(()),
            // Whom it does not know it does nothing for: clocks or secrets differ, until somebody puts that right.
            StatusCode::UNAUTHORIZED => {
                Err(self.not_sent("it does not accept who we are; clocks or secrets differ"))
            }
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => Err(self.not_sent(status)),
            status if status.is_server_error() => Err(self.lost(status)),
            status => Err(self.malformed(&status)),
        }
    }

    /// An answer with any error counts as refused: internal calls have no use for half of one.
    fn read_answer<T: DeserializeOwned>(&self, answer: &[u8]) -> Result<T, CallError> {
        let answer: Answer = serde_json::from_slice(answer).map_err(|error| self.malformed(&error))?;
        if let Some(error) = answer.errors.into_iter().next() {
            let code = error.extensions.code.unwrap_or_else(|| "UNKNOWN".to_owned());
            return Err(CallError::Refused {
                service: self.to,
                code,
                message: error.message,
            });
        }
        let data = answer.data.map_or("null", RawValue::get);
        serde_json::from_str(data).map_err(|error| self.malformed(&error))
    }

    fn not_sent(&self, message: impl ToString) -> CallError {
        CallError::NotSent {
            service: self.to,
            message: message.to_string(),
        }
    }

    fn lost(&self, message: impl ToString) -> CallError {
        CallError::Lost {
            service: self.to,
            message: message.to_string(),
        }
    }

    fn malformed(&self, message: &impl ToString) -> CallError {
        CallError::Malformed {
            service: self.to,
            message: message.to_string(),
        }
    }
}

/// Peers are ours: no proxy stands between. A small image may hold no certificate authorities, which only HTTPS peers need.
fn http_client() -> reqwest::Client {
    let builder = || {
        reqwest::Client::builder()
            .no_proxy()
            .pool_idle_timeout(IDLE_CONNECTION)
    };
    builder().build().unwrap_or_else(|error| {
        tracing::warn!(error.cause = %chain(&error), "no certificate authorities: peers are reached by http only");
        let without_authorities = builder().tls_certs_only([]).build();
        without_authorities.expect("a client without certificates needs nothing of the system")
    })
}

#[derive(Serialize)]
struct OutgoingRequest<'a, V> {
    query: &'a str,
    variables: &'a V,
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(default)]
    errors: Vec<AnswerError>,
}

#[derive(Deserialize)]
struct AnswerError {
    #[serde(default)]
    message: String,
    #[serde(default)]
    extensions: AnswerExtensions,
}

#[derive(Default, Deserialize)]
struct AnswerExtensions {
    code: Option<String>,
}

/// Doubles with every attempt; between half and all of it, so that callers do not return in step.
fn backoff(attempt: u32) -> Duration {
    let full = FIRST_PAUSE_MS << attempt;
    Duration::from_millis(rand::rng().random_range(full / 2..=full))
}
