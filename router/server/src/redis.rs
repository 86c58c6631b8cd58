//! The Redis that routers share with the platform: one connection that reconnects by itself, and a pause after failures, so that
//! an outage costs each request next to nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ::redis::aio::{ConnectionManager, ConnectionManagerConfig};
use ::redis::{Client, FromRedisValue, RedisError};

/// Where Redis is.
#[derive(Debug, Clone)]
pub struct RedisSetup {
    /// `redis://…`
    pub url: String,
    /// Every key begins with this.
    pub prefix: String,
}

/// Redis did not answer, or was not asked because it just had not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Redis is away")]
pub struct RedisAway;

/// A command may take no longer: a request waits for it.
const RESPONSE_TIMEOUT: Duration = Duration::from_millis(250);
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);
/// How long nobody asks after a failure.
const PAUSE: Duration = Duration::from_millis(500);

/// The connection. Cheap to clone; commands of all clones share one socket.
#[derive(Clone)]
pub struct Redis {
    shared: Arc<Shared>,
}

struct Shared {
    client: Client,
    connection: ConnectionManager,
    prefix: String,
    started: Instant,
    /// Milliseconds since `started` before which nobody asks.
    paused_until: AtomicU64,
}

impl Redis {
    /// Connects on first use. Call it inside a Tokio runtime.
    pub fn new(setup: &RedisSetup) -> Result<Self, RedisError> {
        let client = Client::open(setup.url.as_str())?;
        let settings = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(RESPONSE_TIMEOUT))
            .set_number_of_retries(0)
            .set_max_delay(PAUSE);
        let connection = ConnectionManager::new_lazy_with_config(client.clone(), settings)?;
        Ok(Self {
            shared: Arc::new(Shared {
                client,
                connection,
                prefix: setup.prefix.clone(),
                started: Instant::now(),
                paused_until: AtomicU64::new(0),
            }),
        })
    }

    /// `name` under the prefix.
    pub fn key(&self, name: impl std::fmt::Display) -> String {
        format!("{}{name}", self.shared.prefix)
    }

    /// For connections of one's own, such as subscriptions.
    pub fn client(&self) -> &Client {
        &self.shared.client
    }

    /// Runs a command, at most for a quarter of a second.
    pub async fn run<T: FromRedisValue>(&self, command: &::redis::Cmd) -> Result<T, RedisAway> {
        let mut connection = self.shared.connection.clone();
        self.guard(command.query_async(&mut connection)).await
    }

    /// Runs a script, at most for a quarter of a second.
    pub async fn script<T: FromRedisValue>(
        &self,
        script: &::redis::ScriptInvocation<'_>,
    ) -> Result<T, RedisAway> {
        let mut connection = self.shared.connection.clone();
        self.guard(script.invoke_async(&mut connection)).await
    }

    async fn guard<T>(&self, call: impl Future<Output = Result<T, RedisError>>) -> Result<T, RedisAway> {
        if self.now() < self.shared.paused_until.load(Ordering::Relaxed) {
            return Err(RedisAway);
        }
        // Connecting may take longer than a command, and requests must not wait for it.
        let failure = match tokio::time::timeout(RESPONSE_TIMEOUT, call).await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        let until = self.now() + PAUSE.as_millis() as u64;
        let before = self.shared.paused_until.swap(until, Ordering::Relaxed);
        // An outage is reported when it begins, not by every request.
        if until > before + 10 * PAUSE.as_millis() as u64 {
            tracing::warn!(
                error = failure,
                "Redis is away; rules that need it act as configured"
            );
        }
        Err(RedisAway)
    }

    /// Milliseconds on a clock that begins well after zero, the time of the failure there never was.
    fn now(&self) -> u64 {
        const BEGIN: u64 = 60_000;
        BEGIN + self.shared.started.elapsed().as_millis() as u64
    }
}
