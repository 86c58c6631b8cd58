//! The service's tables in Postgres: all SQL.
//!
//! - [`idempotency`]: one record per key, claimed before any effect
//! - [`orders`]: orders and their lines; every status change with its outbox row
//!
//! A change that must be whole is one statement with data-modifying parts: one round trip, one commit.

pub mod idempotency;
pub mod orders;

use sqlx::PgPool;
use thiserror::Error;

pub use idempotency::{Key, Outcome, Record};
pub use orders::{Line, NewLine, NewOrder, Order, Transition};

/// A database fault.
#[derive(Debug, Error)]
#[error(transparent)]
pub struct StoreError(#[from] pub sqlx::Error);

/// The service's database.
#[derive(Clone, Debug)]
pub struct Store {
    pool: PgPool,
}

impl Store {
    /// Over a migrated database.
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

fn undecodable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}
