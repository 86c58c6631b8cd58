//! The log of operations: which were sent, by which client applications, how often, first and last when. No values, no
//! variables, no callers. `fondaco check --usage` reads it.
//!
//! Requests add to counters in memory, as many as configured at most; a task adds these to a file or to Redis from time to time.
//!
//! - `signature`: an operation without its values; `client`: who sends it
//! - `record`: what is kept of both; `file`: in a file; `shared`: in Redis, for several routers

mod client;
mod file;
mod record;
mod shared;
mod signature;

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use http::HeaderMap;
use tokio_util::sync::CancellationToken;

use crate::config::OperationLogConfig;
use crate::plan_cache::ValidOperation;
use crate::redis::Redis;

pub use client::Client;
pub use file::LogFileError;
pub use shared::{ReadOperationsError, read_operations};
pub use signature::signature;

use client::ClientHeaders;
use file::LogFile;
use shared::SharedLog;

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
    kept: Kept,
    /// Whether the last attempt to keep something failed.
    is_failing: AtomicBool,
}

/// Where records are kept.
enum Kept {
    File(LogFile),
    Shared(SharedLog),
}

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum OpenLogError {
    /// The file cannot be kept.
    #[error(transparent)]
    File(#[from] LogFileError),
    /// It is to be in Redis, and there is none.
    #[error("router.operation_log.redis needs Redis: set redis_url or REDIS_URL")]
    NoRedis,
}

impl OperationLog {
    /// The log that the configuration asks for, if any.
    pub fn open(
        config: &OperationLogConfig,
        redis: Option<&Redis>,
    ) -> Result<Option<Arc<Self>>, OpenLogError> {
        let most = config.entries.max(1);
        let kept = match &config.file {
            Some(path) => Kept::File(LogFile::open(path.clone(), most)?),
            None if config.redis => {
                let redis = redis.ok_or(OpenLogError::NoRedis)?;
                Kept::Shared(SharedLog::new(redis.clone(), most))
            }
            None => return Ok(None),
        };
        Ok(Some(Arc::new(Self {
            shards: std::array::from_fn(|_| Mutex::default()),
            hasher: RandomState::new(),
            headers: ClientHeaders::new(&config.client_name_headers, &config.client_version_headers),
            entries_a_shard: config.entries.div_ceil(SHARDS).max(1),
            interval: Duration::from_millis(config.interval_ms.max(100)),
            kept,
            is_failing: AtomicBool::new(false),
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

    /// Adds the counters to what is kept from time to time, and a last time when the token is cancelled.
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

    /// Adds the counters to what is kept.
    pub async fn flush(self: Arc<Self>) {
        let log = Arc::clone(&self);
        let problem = match &self.kept {
            Kept::Shared(shared) => shared
                .add(|| self.take())
                .await
                .err()
                .map(|error| error.to_string()),
            Kept::File(_) => match tokio::task::spawn_blocking(move || log.flush_to_file()).await {
                Ok(written) => written.err().map(|error| error.to_string()),
                Err(error) => Some(error.to_string()),
            },
        };
        // An outage is reported when it begins, not every few seconds.
        let was_failing = self.is_failing.swap(problem.is_some(), Ordering::Relaxed);
        if let Some(error) = problem.filter(|_| !was_failing) {
            tracing::error!(error, "operations were counted but cannot be kept for now");
        }
    }

    fn flush_to_file(&self) -> Result<(), LogFileError> {
        let Kept::File(file) = &self.kept else {
            return Ok(());
        };
        let counted = self.take();
        if counted.is_empty() {
            return Ok(());
        }
        file.add(counted)
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
