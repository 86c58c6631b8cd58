//! The service's tables in Postgres: all SQL.
//!
//! - [`idempotency`], [`key_retention`]: one record per key, claimed before any effect, forgotten after a while
//! - [`orders`]: reading orders, their lines and their history
//! - [`placement`]: new orders, with their lines
//! - [`transitions`]: every status change, with its history and its outbox row
//! - [`drafts`]: orders that are put together, and their purchase
//! - [`refunds`]: what is given back
//! - [`wishlist`]: what customers keep for later
//!
//! A change that must be whole is one statement with data-modifying parts, one round trip and one commit; where the parts must see each
//! other it is a transaction. What every purchase does is done for many at a time: claims, placements and transitions that arrive while
//! others are being stored share the next statement.

pub mod drafts;
pub mod idempotency;
pub mod key_retention;
pub mod orders;
pub mod placement;
pub mod refunds;
pub mod transitions;
pub mod wishlist;

use std::{sync::Arc, time::Duration};

use fondaco_chassis::{Batcher, Batching};
use fondaco_contracts::UserError;
use sqlx::PgPool;
use thiserror::Error;

use idempotency::{Claim, claim_all, reject_all};
use placement::{Placement, place_all};
use transitions::make_many;

pub use drafts::{Draft, PlacedDraft};
pub use idempotency::{Key, Outcome, Record};
pub use orders::{HistoryEntry, Line, Order, OrderWithLines, Page};
pub use placement::{NewLine, NewOrder};
pub use refunds::{NewRefund, Refund, RefundStatus};
pub use transitions::Transition;
pub use wishlist::WishlistItem;

/// A database fault.
#[derive(Debug, Error)]
#[error(transparent)]
pub struct StoreError(#[from] pub sqlx::Error);

/// How they share statements.
const BATCHES: Batching = Batching {
    max: 100,
    lanes: 1,
    pace: Duration::from_millis(10),
};

/// The service's database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    pool: PgPool,
    claims: Arc<Batcher<Claim, bool>>,
    rejections: Arc<Batcher<(Key, UserError), bool>>,
    placements: Arc<Batcher<Placement, Option<Order>>>,
    transitions: Arc<Batcher<Transition, Option<Order>>>,
}

impl Store {
    /// Over a migrated database. Must be called within a tokio runtime.
    pub fn new(pool: PgPool) -> Self {
        let (claims, rejections) = (pool.clone(), pool.clone());
        let (placements, transitions) = (pool.clone(), pool.clone());
        Self {
            pool,
            claims: Arc::new(Batcher::new(BATCHES, move |some| claim_all(claims.clone(), some))),
            rejections: Arc::new(Batcher::new(BATCHES, move |some| {
                reject_all(rejections.clone(), some)
            })),
            placements: Arc::new(Batcher::new(BATCHES, move |some| {
                place_all(placements.clone(), some)
            })),
            transitions: Arc::new(Batcher::new(BATCHES, move |some| {
                make_many(transitions.clone(), some)
            })),
        }
    }
}

pub(crate) fn undecodable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}
