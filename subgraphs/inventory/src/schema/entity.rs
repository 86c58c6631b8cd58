//! Entities: what the router resolves by key on behalf of other subgraphs.

use async_graphql::{ID, Object};
use fondaco_contracts::Sku;

use super::types::ProductVariant;

/// Entity finders; absent from the SDL.
#[derive(Default)]
pub struct EntityQuery;

#[Object]
impl EntityQuery {
    /// Every well-formed SKU is a variant here: which exist is for the product service to say.
    #[graphql(entity)]
    async fn variant_by_sku(&self, sku: ID) -> Option<ProductVariant> {
        Some(ProductVariant {
            sku: Sku::try_from(sku.0).ok()?,
        })
    }
}
