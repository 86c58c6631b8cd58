//! The `auth` section of the configuration.

use std::{net::SocketAddr, time::Duration};

use serde::Deserialize;

/// How the auth service runs.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuthConfig {
    /// Where it listens. Default `127.0.0.1:4001`.
    pub listen: SocketAddr,
    /// Creates the accounts of a demonstration, with publicly known passwords. Default false.
    pub demo: bool,
    /// How long an unused refresh token is valid. Default 30 days.
    pub refresh_token_days: u32,
    /// The cost of a password hash.
    pub password: PasswordConfig,
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 4001)),
            demo: false,
            refresh_token_days: 30,
            password: PasswordConfig::default(),
        }
    }
}

impl AuthConfig {
    pub(crate) fn refresh_token_lifetime(&self) -> Duration {
        Duration::from_secs(u64::from(self.refresh_token_days) * 24 * 60 * 60)
    }
}

/// The cost of a password hash (Argon2id), and how many may be computed at once. The defaults are OWASP's: 19 MiB, 2 passes.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PasswordConfig {
    /// Memory of one hash.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
    /// Hashes computed at once: bounds memory and CPU. Default: the number of CPUs.
    pub max_concurrent: Option<usize>,
}

impl Default for PasswordConfig {
    fn default() -> Self {
        Self {
            memory_kib: 19 * 1024,
            iterations: 2,
            parallelism: 1,
            max_concurrent: None,
        }
    }
}
