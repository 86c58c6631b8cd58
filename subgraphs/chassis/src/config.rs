//! Configuration: one YAML file whose unknown keys are refused by name, and environment overrides for what deployments vary.

use std::{
    collections::BTreeMap,
    env, fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde::{Deserialize, de::DeserializeOwned};

/// Why the configuration cannot be used; each names the file or variable, and the key.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not what the program expects: the message names the key and its position.
    #[error("the configuration {origin} is invalid: {message}")]
    Invalid {
        /// The file's name, or `text`.
        origin: String,
        /// Key, line and column.
        message: String,
    },
    /// An environment variable has an unusable value.
    #[error("the environment variable {name} is invalid: {message}")]
    Variable {
        /// Its name.
        name: &'static str,
        /// Why.
        message: String,
    },
    /// `identity.secret` is too short to be a key.
    #[error("identity.secret (FONDACO_IDENTITY_SECRET) must have at least 32 bytes")]
    WeakSecret,
    /// A subgraph's own secret is too short to be a key.
    #[error("identity.secrets.{0} must have at least 32 bytes")]
    WeakServiceSecret(String),
    /// A required value is absent.
    #[error("{key} is not configured: set it in the configuration file or as {variable}")]
    Missing {
        /// The key in the file.
        key: &'static str,
        /// The environment variable.
        variable: &'static str,
    },
}

/// Reads a YAML file into `T`, which must carry `#[serde(deny_unknown_fields)]` for unknown keys to be refused.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T, ConfigError> {
    let text = fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
        path: path.into(),
        source,
    })?;
    parse(&text, &path.display().to_string())
}

/// Reads YAML text into `T`; `origin` names it in errors. An empty text gives the defaults of `T`.
pub fn parse<T: DeserializeOwned>(text: &str, origin: &str) -> Result<T, ConfigError> {
    let only_comments = text
        .lines()
        .all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'));
    let text = if only_comments { "{}" } else { text };
    serde_saphyr::from_str(text).map_err(|error| ConfigError::Invalid {
        origin: origin.to_owned(),
        message: error.to_string(),
    })
}

/// How router and subgraphs prove to each other who calls.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IdentityConfig {
    /// The secret under which calls are signed; at least 32 bytes.
    pub secret: Option<String>,
    /// Secrets of single subgraphs, used for calls to them instead of the shared one. A subgraph needs its own and those of the
    /// services it calls itself; whoever holds one can speak for anybody to that subgraph, and to no other.
    pub secrets: BTreeMap<String, String>,
    /// Whether subgraphs refuse every call that nobody signed. Otherwise such a call counts as anonymous.
    pub require: bool,
}

/// What the environment overrides. Empty variables count as unset.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// `DATABASE_URL`
    pub database_url: Option<String>,
    /// `REDIS_URL`
    pub redis_url: Option<String>,
    /// `FONDACO_IDENTITY_SECRET`
    pub identity_secret: Option<String>,
    /// `FONDACO_LISTEN`
    pub listen: Option<SocketAddr>,
    /// `FONDACO_LOG`: a tracing filter
    pub log: Option<String>,
    /// `FONDACO_LOG_FORMAT`: `text` or `json`
    pub log_format: Option<crate::telemetry::LogFormat>,
}

impl Environment {
    /// Reads the process' environment.
    pub fn read() -> Result<Self, ConfigError> {
        Ok(Self {
            database_url: variable("DATABASE_URL"),
            redis_url: variable("REDIS_URL"),
            identity_secret: variable("FONDACO_IDENTITY_SECRET"),
            listen: parsed("FONDACO_LISTEN")?,
            log: variable("FONDACO_LOG"),
            log_format: parsed("FONDACO_LOG_FORMAT")?,
        })
    }
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
    name: &'static str,
) -> Result<Option<T>, ConfigError> {
    let Some(text) = variable(name) else {
        return Ok(None);
    };
    text.parse()
        .map(Some)
        .map_err(|error: T::Err| ConfigError::Variable {
            name,
            message: error.to_string(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Example {
        #[serde(default)]
        identity: IdentityConfig,
    }

    #[test]
    fn errors_name_the_key() {
        let check = |text: &str, expected: &str| {
            let error = parse::<Example>(text, "fondaco.yaml").unwrap_err().to_string();
            assert!(
                error.contains(expected) && error.contains("fondaco.yaml"),
                "{error}"
            );
        };
        check("identty: {}", "identty");
        check("identity: { secrt: x }", "secrt");
        check("identity: [", "identity");
        check("identity: 3", "identity");
    }

    #[test]
    fn an_empty_file_gives_the_defaults() {
        for text in ["", "# nothing yet\n", "identity: {}"] {
            assert!(
                parse::<Example>(text, "fondaco.yaml")
                    .unwrap()
                    .identity
                    .secret
                    .is_none()
            );
        }
    }
}
