//! Configuration of the log of operations.

use std::path::PathBuf;

use serde::Deserialize;

use crate::config::ConfigError;

/// The log of operations, which `fondaco check --usage` reads: no values, no callers.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OperationLogConfig {
    /// The file; each router needs one of its own. Without it, and without `redis`, nothing is logged.
    pub file: Option<PathBuf>,
    /// Whether the log is kept in the platform's Redis instead, together with those of other routers.
    pub redis: bool,
    /// Records kept, each an operation of a client; those used last are.
    pub entries: usize,
    /// Time between two writes, in milliseconds.
    pub interval_ms: u64,
    /// Headers in which clients may give their name; the first one present counts.
    pub client_name_headers: Vec<String>,
    /// Headers in which clients may give their version; the first one present counts.
    pub client_version_headers: Vec<String>,
}

impl Default for OperationLogConfig {
    fn default() -> Self {
        let headers = |what: &str| {
            ["graphql-client", "apollographql-client", "x-client"]
                .map(|who| format!("{who}-{what}"))
                .to_vec()
        };
        Self {
            file: None,
            redis: false,
            entries: 10_000,
            interval_ms: 10_000,
            client_name_headers: headers("name"),
            client_version_headers: headers("version"),
        }
    }
}

impl OperationLogConfig {
    /// Whether operations are logged.
    pub fn is_on(&self) -> bool {
        self.file.is_some() || self.redis
    }

    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        if self.redis && self.file.is_some() {
            let problem = "the log is kept in a file or in Redis: set one of file and redis";
            return Err(ConfigError::value("operation_log", problem));
        }
        Ok(())
    }
}
