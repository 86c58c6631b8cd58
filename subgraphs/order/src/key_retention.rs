//! Idempotency keys are kept for a week: a request that is repeated within it gets its first answer, later it is a new one.
//!
//! The key of a refund lives as long as the refund, which is found by it.

use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::store::{Store, StoreError};

/// How long a key stands for its first request.
pub const RETENTION: Duration = Duration::from_secs(7 * 24 * 60 * 60);
const INTERVAL: Duration = Duration::from_secs(10 * 60);
/// Forgotten by one statement, so that none takes long.
const BATCH: u64 = 1_000;

/// Forgets old keys until `stop`.
pub async fn run(store: Store, stop: CancellationToken) {
    while stop.run_until_cancelled(sleep(INTERVAL)).await.is_some() {
        if let Some(Err(error)) = stop.run_until_cancelled(forget(&store)).await {
            tracing::warn!(error.cause = %error, "old idempotency keys remain");
        }
    }
}

/// Forgets all keys that are old now.
pub async fn forget(store: &Store) -> Result<(), StoreError> {
    while store.forget_keys(RETENTION, BATCH).await? == BATCH {}
    Ok(())
}
