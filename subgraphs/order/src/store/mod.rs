//! The service's tables in Postgres: all SQL.
//!
//! - [`idempotency`]: one record per key, claimed before any effect
//! - [`orders`]: reading orders, their lines and their history
//! - [`transitions`]: every status change, with its history and its outbox row
//! - [`drafts`]: orders that are put together, and their purchase
//! - [`refunds`]: what is given back
//! - [`wishlist`]: what customers keep for later
//!
//! A change that must be whole is one statement with data-modifying parts, one round trip and one commit; where the parts must see each
//! other it is a transaction.

pub mod drafts;
pub mod idempotency;
pub mod orders;
pub mod refunds;
pub mod transitions;
pub mod wishlist;

use sqlx::PgPool;
use thiserror::Error;

pub use drafts::{Draft, PlacedDraft};
pub use idempotency::{Key, Outcome, Record};
pub use orders::{HistoryEntry, Line, Order, Page};
pub use refunds::{NewRefund, Refund, RefundStatus};
pub use transitions::{NewLine, NewOrder, Transition};
pub use wishlist::WishlistItem;

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

pub(crate) fn undecodable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}
