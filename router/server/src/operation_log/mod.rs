//! The log of operations: which were sent, by which client applications, how often, first and last when. No values, no
//! variables, no callers. `fondaco check --usage` reads it.
//!
//! Requests add to counters in memory, as many as configured at most; a task adds these to the file from time to time.
//!
//! - `signature`: an operation without its values; `client`: who sends it; `file`: the file

mod client;
mod file;
mod signature;

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use http::HeaderMap;
use tokio_util::sync::CancellationToken;

use crate::config::OperationLogConfig;
use crate::plan_cache::ValidOperation;

pub use client::Client;
pub use file::LogFileError;
pub use signature::signature;

use client::ClientHeaders;
use file::LogFile;

/// Counters are spread over this many locks, so that threads seldom meet.
const SHARDS: usize = 16;

/// What was counted for one operation of one client.
#[derive(Debug, Clone)]
struct Counted {
    operation: Arc<str>,
    client: Client,
    count: u64,
    first_seen: SystemTime,
    last_seen: SystemTime,
}

/// See the module.
pub struct OperationLog {
    shards: [Mutex<HashMap<u64, Counted>>; SHARDS],
    hasher: RandomState,
    headers: ClientHeaders,
    entries_a_shard: usize,
    interval: Duration,
    file: LogFile,
}

impl OperationLog {
    /// The log that the configuration asks for; none without a file.
    pub fn open(config: &OperationLogConfig) -> Result<Option<Arc<Self>>, LogFileError> {
        let Some(path) = &config.file else {
            return Ok(None);
        };
        Ok(Some(Arc::new(Self {
            shards: std::array::from_fn(|_| Mutex::default()),
            hasher: RandomState::new(),
            headers: ClientHeaders::new(&config.client_name_headers, &config.client_version_headers),
            entries_a_shard: config.entries.div_ceil(SHARDS).max(1),
            interval: Duration::from_millis(config.interval_ms.max(100)),
            file: LogFile::open(path.clone(), config.entries.max(1))?,
        })))
    }

    /// Who a request says it is sent by.
    pub fn client(&self, headers: &HeaderMap) -> Client {
        self.headers.read(headers)
    }

    /// Counts one request. An operation that is new while the counters are full waits for the next round.
    pub fn count(&self, operation: &ValidOperation, client: &Client) {
        let Some(text) = &operation.signature else {
            return;
        };
        let key = self.hasher.hash_one((text, client));
        let mut counters = self.shards[key as usize % SHARDS]
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let now = SystemTime::now();
        if let Some(counted) = counters.get_mut(&key) {
            counted.count += 1;
            counted.last_seen = now;
        } else if counters.len() < self.entries_a_shard {
            let (operation, client) = (Arc::clone(text), client.clone());
            let counted = Counted {
                operation,
                client,
                count: 1,
                first_seen: now,
                last_seen: now,
            };
            counters.insert(key, counted);
        }
    }

    /// Adds the counters to the file from time to time, and a last time when the token is cancelled.
    pub async fn keep(self: Arc<Self>, stop: CancellationToken) {
        while stop
            .run_until_cancelled(tokio::time::sleep(self.interval))
            .await
            .is_some()
        {
            Arc::clone(&self).flush().await;
        }
        self.flush().await;
    }

    /// Adds the counters to the file.
    pub async fn flush(self: Arc<Self>) {
        let counted = self.take();
        if counted.is_empty() {
            return;
        }
        let written = tokio::task::spawn_blocking(move || self.file.add(counted)).await;
        match written {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(error = %error, "operations were counted but not written"),
            Err(error) => tracing::error!(error = %error, "writing the log of operations ended early"),
        }
    }

    fn take(&self) -> Vec<Counted> {
        let mut counted = Vec::new();
        for shard in &self.shards {
            let taken = std::mem::take(&mut *shard.lock().unwrap_or_else(PoisonError::into_inner));
            counted.extend(taken.into_values());
        }
        counted
    }
}
