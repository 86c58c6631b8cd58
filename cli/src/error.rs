//! Everything a command can fail with, in words for the person at the terminal.

use crate::servers::ServersError;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The private servers do not run.
    #[error(transparent)]
    Servers(#[from] ServersError),
    /// The command given to `servers` could not be run.
    #[error("`{command}` could not be run: {source}")]
    Command {
        /// The program.
        command: String,
        /// Why.
        source: std::io::Error,
    },
}
