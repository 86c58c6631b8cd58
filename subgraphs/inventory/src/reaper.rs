//! The reaper: expires holds whose time is up, and now and then sweeps what interruptions left in Redis.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::inventory::Inventory;

const BATCH: i64 = 500;
const SWEEP_EVERY: Duration = Duration::from_secs(10);

/// Works every `interval` until `stop`. Outages are waited out.
pub async fn run(inventory: Inventory, interval: Duration, stop: CancellationToken) {
    let mut swept_at = Instant::now();
    while stop.run_until_cancelled(sleep(interval)).await.is_some() {
        if let Err(error) = expire_all(&inventory).await {
            tracing::warn!(error.cause = %error, "expired holds could not be released yet");
        }
        if swept_at.elapsed() >= SWEEP_EVERY {
            swept_at = Instant::now();
            match inventory.sweep().await {
                Ok(0) => {}
                Ok(holds) => tracing::info!(holds, "interrupted holds swept"),
                Err(error) => {
                    tracing::warn!(error.cause = %error, "interrupted holds could not be swept yet")
                }
            }
        }
    }
}

async fn expire_all(inventory: &Inventory) -> Result<(), fondaco_chassis::ApiError> {
    while inventory.expire(BATCH).await? == BATCH as usize {}
    Ok(())
}
