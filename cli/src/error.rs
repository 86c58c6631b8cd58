//! Everything a command can fail with, in words for the person at the terminal.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use fondaco_chassis::config::ConfigError;
use fondaco_chassis::error::StartError;
use fondaco_chassis::telemetry::InvalidFilter;
use fondaco_router::BuildError;
use fondaco_supergraph::SupergraphError;

use crate::servers::ServersError;

/// Exit code of a schema command that was used wrongly: 1 and 2 say what it found.
pub const USAGE_ERROR: u8 = 3;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The log filter cannot be read.
    #[error(transparent)]
    LogFilter(#[from] InvalidFilter),
    /// The router cannot be built.
    #[error(transparent)]
    Router(#[from] BuildError),
    /// A service cannot be started.
    #[error(transparent)]
    Service(#[from] StartError),
    /// The private servers do not run.
    #[error(transparent)]
    Servers(#[from] ServersError),
    /// The signing keys cannot be read or written.
    #[error("the signing keys cannot be rotated: {0}")]
    SigningKeys(#[source] sqlx::Error),
    /// Parked events cannot be read or marked.
    #[error("the dead letters of {service} cannot be read: {source}")]
    DeadLetters {
        /// Whose.
        service: &'static str,
        /// Why.
        source: sqlx::Error,
    },
    /// Nobody said which supergraph to serve.
    #[error(
        "no supergraph: give --supergraph FILE or --registry URL|DIR, or set router.supergraph or router.registry in the configuration file"
    )]
    NoSupergraph,
    /// The registry to follow cannot be used.
    #[error("{0}")]
    Registry(String),
    /// The address is taken, not ours, or not allowed.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The command given to `servers` could not be run.
    #[error("`{command}` could not be run: {source}")]
    Command {
        /// The program.
        command: String,
        /// Why.
        source: std::io::Error,
    },
    /// A file cannot be read.
    #[error("cannot read {}: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {source}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A supergraph cannot be read.
    #[error("the supergraph {} cannot be used: {source}", .path.display())]
    Supergraph {
        /// The file.
        path: PathBuf,
        /// Why.
        source: SupergraphError,
    },
    /// An operation cannot be planned; the text names the place.
    #[error("{0}")]
    Operation(String),
    /// The composition's configuration, or a schema it names, cannot be used.
    #[error(transparent)]
    ComposeConfig(#[from] fondaco_composition::config::ConfigError),
    /// The subgraphs do not compose; one diagnostic a line.
    #[error("the subgraphs do not compose\n{0}")]
    Composition(String),
    /// A check, or what it reads, cannot be used.
    #[error("{0}")]
    SchemaTool(String),
    /// A health check was answered with something else than success.
    #[error("{url}: {problem}")]
    Unhealthy {
        /// Where it was asked.
        url: String,
        /// What happened.
        problem: String,
    },
    /// The books cannot be read.
    #[error("the books cannot be read: {0}")]
    Books(Box<dyn std::error::Error + Send + Sync>),
    /// The system refused something no command can do without.
    #[error("{what}: {source}")]
    System {
        /// What was being done.
        what: &'static str,
        /// Why it failed.
        source: std::io::Error,
    },
}

impl CliError {
    /// What the process ends with.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::SchemaTool(_) => ExitCode::from(USAGE_ERROR),
            _ => ExitCode::FAILURE,
        }
    }
}
