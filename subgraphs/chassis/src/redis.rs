//! The shared Redis: one multiplexed connection that reconnects by itself, and a prefix before every key.

use std::time::Duration;

use ::redis::{
    Client,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use tokio::time::{Instant, sleep};

use crate::runtime::Runtime;

/// Why Redis cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RedisError {
    /// `redis_url` is not a Redis URL.
    #[error("redis_url (REDIS_URL) is not a Redis URL: {0}")]
    Url(::redis::RedisError),
    /// Nobody answers, or the server refuses us.
    #[error("cannot reach Redis at {server}: {source}")]
    Unreachable {
        /// Host and port.
        server: String,
        /// Why.
        source: ::redis::RedisError,
    },
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Scripts take a millisecond; a Redis that is silent for longer stands still.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(1);
const RETRY_PAUSE: Duration = Duration::from_millis(250);

/// A connection and the prefix of its keys. Cheap to clone; commands of all clones share one socket.
#[derive(Clone)]
pub struct Redis {
    connection: ConnectionManager,
    prefix: String,
}

impl Redis {
    /// Connects, waiting up to `runtime.patience` while Redis starts.
    pub async fn connect(runtime: &Runtime) -> Result<Self, RedisError> {
        let client = Client::open(runtime.redis_url.as_str()).map_err(RedisError::Url)?;
        let deadline = Instant::now() + runtime.patience;
        loop {
            match ConnectionManager::new_with_config(client.clone(), settings()).await {
                Ok(connection) => {
                    return Ok(Self {
                        connection,
                        prefix: runtime.redis_prefix.clone(),
                    });
                }
                Err(error) if error.is_io_error() && Instant::now() < deadline => sleep(RETRY_PAUSE).await,
                Err(source) => {
                    let server = client.get_connection_info().addr().to_string();
                    return Err(RedisError::Unreachable { server, source });
                }
            }
        }
    }

    /// The connection, for one or more commands.
    pub fn connection(&self) -> ConnectionManager {
        self.connection.clone()
    }

    /// A connection of its own, for commands that block (such as `XREADGROUP … BLOCK`): on the shared one they would hold up everybody else.
    pub fn blocking_connection(runtime: &Runtime) -> Result<ConnectionManager, RedisError> {
        let client = Client::open(runtime.redis_url.as_str()).map_err(RedisError::Url)?;
        let settings = settings().set_response_timeout(Some(Duration::from_secs(15)));
        ConnectionManager::new_lazy_with_config(client, settings).map_err(RedisError::Url)
    }

    /// `name` under the prefix.
    pub fn key(&self, name: impl std::fmt::Display) -> String {
        format!("{}{name}", self.prefix)
    }

    /// The prefix, for Lua scripts that build keys.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redis")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

fn settings() -> ConnectionManagerConfig {
    ConnectionManagerConfig::new()
        .set_connection_timeout(Some(CONNECT_TIMEOUT))
        .set_response_timeout(Some(RESPONSE_TIMEOUT))
        .set_number_of_retries(1)
        .set_max_delay(Duration::from_secs(1))
}
