//! What goes wrong with a registry, in words that name it and hold no password.

use std::path::PathBuf;

use crate::address::Address;

/// Why a registry cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// Nothing was ever published there.
    #[error("there is no registry at {0}: `fondaco publish` makes one")]
    Missing(Address),
    /// There is no such version.
    #[error("the registry at {address} has no version {number}; {}", newest(*.latest))]
    NoVersion {
        /// The registry.
        address: Address,
        /// What was asked for.
        number: u64,
        /// The newest there is.
        latest: Option<u64>,
    },
    /// A file or folder cannot be read or written.
    #[error("the registry's {} cannot be {doing}: {source}", .path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// `read` or `written`.
        doing: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not what was published.
    #[error("the registry's {} is damaged: {problem}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The database cannot be used.
    #[error("the registry at {address} cannot be used: {source}")]
    Database {
        /// The registry.
        address: Address,
        /// Why.
        source: sqlx::Error,
    },
    /// The database's tables cannot be made or brought up to date.
    #[error("the tables of the registry at {address} cannot be made: {source}")]
    Migration {
        /// The registry.
        address: Address,
        /// Why.
        source: sqlx::migrate::MigrateError,
    },
}

fn newest(latest: Option<u64>) -> String {
    match latest {
        Some(number) => format!("the newest is {number}"),
        None => "it is empty".to_owned(),
    }
}
