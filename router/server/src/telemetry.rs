//! One log line for each GraphQL request: what ran, how it ended, how long it took. No variables, no tokens, no documents.

use std::sync::Arc;
use std::time::Instant;

use http::{HeaderMap, HeaderValue, StatusCode};

use crate::operation_log::{Client, OperationLog};
use crate::plan_cache::ValidOperation;

/// Longest operation name written, in characters.
const LONGEST_NAME: usize = 100;

/// What is known of a request; it is written when the request ends, however it ends.
pub struct RequestLog {
    request_id: HeaderValue,
    started: Instant,
    operation_name: String,
    operation_kind: &'static str,
    status: Option<StatusCode>,
    usage: Option<(Arc<OperationLog>, Client)>,
    errors: usize,
}

impl RequestLog {
    /// Starts the clock.
    pub fn start(request_id: HeaderValue) -> Self {
        Self {
            request_id,
            started: Instant::now(),
            operation_name: String::new(),
            operation_kind: "",
            status: None,
            usage: None,
            errors: 0,
        }
    }

    /// Counts the operation in the log of operations, for the client that the headers name.
    pub fn count_in(&mut self, operations: &Option<Arc<OperationLog>>, headers: &HeaderMap) {
        let log = operations.as_ref();
        self.usage = log.map(|log| (Arc::clone(log), log.client(headers)));
    }

    /// Notes which operation runs.
    pub fn operation(&mut self, operation: &ValidOperation) {
        if let Some((log, client)) = &self.usage {
            log.count(operation, client);
        }
        self.operation_kind = operation.kind().name();
        if let Some(name) = operation.name() {
            self.operation_name.extend(name.chars().take(LONGEST_NAME));
        }
    }

    /// Notes how many errors the answer holds.
    pub fn errors(&mut self, count: usize) {
        self.errors = count;
    }

    /// Ends the request.
    pub fn finish(mut self, status: StatusCode) {
        self.status = Some(status);
    }
}

impl Drop for RequestLog {
    /// A request that ends without a status was abandoned by its client.
    fn drop(&mut self) {
        let duration_ms = self.started.elapsed().as_micros() as f64 / 1000.0;
        let request_id = self.request_id.to_str().unwrap_or_default();
        let status = self.status.map(|status| status.as_u16());
        let message = if status.is_some() {
            "request"
        } else {
            "request abandoned by its client"
        };
        tracing::info!(
            request.id = request_id,
            operation.name = %self.operation_name,
            operation.kind = %self.operation_kind,
            http.status = status,
            response.errors = self.errors,
            duration_ms,
            "{message}"
        );
    }
}
