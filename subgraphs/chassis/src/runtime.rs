//! What a service is started with, apart from its own configuration.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{clock::Clock, config::ConfigError, identity::Identity, peers::Peers};

/// What every Redis key begins with, unless configured.
pub const REDIS_PREFIX: &str = "fondaco:";

/// The surroundings of a service; cheap to clone, shared by all services of a process.
#[derive(Clone, Debug)]
pub struct Runtime {
    /// The Postgres server; the path, if any, names a database that exists (for creating others).
    pub database_url: String,
    /// A service's database is this followed by the service's name. Default `fondaco_`.
    pub database_prefix: String,
    /// The Redis server.
    pub redis_url: String,
    /// Every Redis key begins with this. Default `fondaco:`.
    pub redis_prefix: String,
    /// The secrets that router and subgraphs share, as keys.
    pub identity: Identity,
    /// Whether calls that nobody signed are refused. Default no: they count as anonymous.
    pub require_identity: bool,
    /// Where the other services are.
    pub peers: Peers,
    /// Cancelled when the process is to stop.
    pub shutdown: CancellationToken,
    /// How long a starting service waits for Postgres and Redis. Default 30 s.
    pub patience: Duration,
}

impl Runtime {
    /// A runtime with default prefixes, no peers, and a shutdown token of its own.
    pub fn new(
        database_url: impl Into<String>,
        redis_url: impl Into<String>,
        identity_secret: &str,
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            database_url: database_url.into(),
            database_prefix: "fondaco_".to_owned(),
            redis_url: redis_url.into(),
            redis_prefix: REDIS_PREFIX.to_owned(),
            identity: Identity::new(identity_secret)?,
            require_identity: false,
            peers: Peers::default(),
            shutdown: CancellationToken::new(),
            patience: Duration::from_secs(30),
        })
    }

    /// The clock of the services: that of their Postgres.
    pub fn clock(&self) -> Clock {
        self.identity.clock().clone()
    }
}
