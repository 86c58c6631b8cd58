//! The data loader of availability: one lookup for all variants of a request.

use std::collections::HashMap;

use async_graphql::Request;
use dataloader::{BatchFn, non_cached::Loader};
use fondaco_chassis::{ApiError, data_loader::YIELDS};
use fondaco_contracts::Sku;

use crate::inventory::Inventory;

/// More variants than this take several lookups.
const MAX_BATCH: usize = 1_000;

/// Finds how many units of a SKU are available.
pub type AvailableBySku = Loader<Sku, Result<i64, ApiError>, BySku>;

/// Gives a request its loader.
pub fn attach(request: Request, inventory: &Inventory) -> Request {
    request.data(
        AvailableBySku::new(BySku(inventory.clone()))
            .with_max_batch_size(MAX_BATCH)
            .with_yield_count(YIELDS),
    )
}

/// Batch function of [`AvailableBySku`].
pub struct BySku(Inventory);

impl BatchFn<Sku, Result<i64, ApiError>> for BySku {
    async fn load(&mut self, skus: &[Sku]) -> HashMap<Sku, Result<i64, ApiError>> {
        match self.0.available(skus).await {
            Ok(found) => skus
                .iter()
                .map(|sku| (sku.clone(), Ok(found.get(sku).copied().unwrap_or(0))))
                .collect(),
            Err(error) => skus.iter().map(|sku| (sku.clone(), Err(error.clone()))).collect(),
        }
    }
}
