//! Queries: the stock behind SKUs.

use std::collections::HashMap;

use async_graphql::{Context, ID, Object};
use fondaco_chassis::ApiError;
use fondaco_contracts::Sku;

use super::types::StockLevel;
use crate::inventory::Inventory;

const MAX_SKUS: usize = 200;

/// What clients ask.
#[derive(Default)]
pub struct StockQuery;

#[Object]
impl StockQuery {
    /// The stock of up to 200 SKUs, in the order asked; null for SKUs that have none.
    async fn stock(&self, ctx: &Context<'_>, skus: Vec<ID>) -> Result<Vec<Option<StockLevel>>, ApiError> {
        if skus.len() > MAX_SKUS {
            return Err(ApiError::BadUserInput(format!("at most {MAX_SKUS} SKUs a call")));
        }
        let wellformed: Vec<Sku> = skus.iter().filter_map(|sku| sku.parse().ok()).collect();
        let rows = ctx.data_unchecked::<Inventory>().stock(&wellformed).await?;
        let by_sku: HashMap<String, StockLevel> = rows
            .into_iter()
            .map(|row| (row.sku.to_string(), StockLevel(row)))
            .collect();
        Ok(skus.iter().map(|sku| by_sku.get(sku.as_str()).cloned()).collect())
    }
}
