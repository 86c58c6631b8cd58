//! The request id: taken from `x-request-id` or made up, in every log line, and passed on to the services called.

use std::future::Future;

use http::HeaderMap;
use uuid::Uuid;

/// The header that carries it.
pub const REQUEST_ID_HEADER: &str = "x-request-id";

tokio::task_local! {
    static CURRENT: RequestId;
}

/// Joins the log lines of one request across services.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequestId(String);

impl RequestId {
    /// The header's value where it is short and printable, else a new id.
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let given = headers
            .get(REQUEST_ID_HEADER)
            .and_then(|value| value.to_str().ok());
        match given.filter(|text| is_acceptable(text)) {
            Some(text) => Self(text.to_owned()),
            None => Self(Uuid::now_v7().to_string()),
        }
    }

    /// The id of the request that the running task serves.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    /// Runs `work` as part of this request.
    pub async fn scope<T>(self, work: impl Future<Output = T>) -> T {
        CURRENT.scope(self, work).await
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_acceptable(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}
