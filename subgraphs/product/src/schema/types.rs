//! Object types: `Product` and `ProductVariant`. What a resolver needs beyond the row at hand it asks the request's loaders for.

use async_graphql::{Context, Object};
use chrono::{DateTime, Utc};
use fondaco_chassis::{ApiError, caller};
use fondaco_contracts::{Money, ProductId, Sku};

use crate::{
    loaders::{ProductById, VariantsOfProduct},
    product::{LimitedDrop, Product, ProductOption, ProductStatus, Variant},
};

/// The scope of those who write the catalogue.
pub const WRITE_SCOPE: &str = "product:write";

/// Something the shop sells, in one or more variants.
#[Object]
impl Product {
    /// Its id.
    pub async fn id(&self) -> ProductId {
        self.id
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.name
    }

    /// Its name in addresses, unique.
    pub async fn slug(&self) -> &str {
        &self.slug
    }

    /// Plain text.
    async fn description(&self) -> &str {
        &self.description
    }

    /// Such as `Coats`.
    async fn category(&self) -> &str {
        &self.category
    }

    /// Where it stands in its life.
    async fn status(&self) -> ProductStatus {
        self.status
    }

    /// When it was added.
    async fn created_at(&self) -> DateTime<Utc> {
        self.created_at
    }

    /// The forms in which it is sold, in the merchant's order.
    async fn variants(&self, ctx: &Context<'_>) -> Result<Vec<Variant>, ApiError> {
        let loader = ctx.data_unchecked::<VariantsOfProduct>();
        loader.try_load(self.id).await.map_err(ApiError::internal)?
    }
}

impl Product {
    /// Drafts are for those who write the catalogue, and for the services behind it.
    pub fn is_visible(&self, ctx: &Context<'_>) -> bool {
        let caller = caller(ctx);
        self.status != ProductStatus::Draft || caller.is_service() || caller.has_scope(WRITE_SCOPE)
    }
}

/// One of the forms in which a product is sold.
#[Object(name = "ProductVariant")]
impl Variant {
    /// Its stock keeping unit.
    pub async fn sku(&self) -> &Sku {
        &self.sku
    }

    /// What tells it from its siblings, such as `M / Navy`.
    async fn name(&self) -> &str {
        &self.name
    }

    /// The same, part by part.
    async fn options(&self) -> &[ProductOption] {
        &self.options
    }

    /// For one unit.
    async fn price(&self) -> Money {
        self.price
    }

    /// What it is a form of.
    async fn product(&self, ctx: &Context<'_>) -> Result<Product, ApiError> {
        let loader = ctx.data_unchecked::<ProductById>();
        let product = loader
            .try_load(self.product_id)
            .await
            .map_err(ApiError::internal)??;
        product.ok_or_else(|| ApiError::internal("a variant's product is missing"))
    }

    /// Present when it is sold as a limited drop.
    async fn drop(&self) -> Option<LimitedDrop> {
        self.drop
    }
}
