//! Entities: what the router resolves by key on behalf of other subgraphs.

use async_graphql::{Context, ID, Object};
use fondaco_chassis::ApiError;
use fondaco_contracts::Sku;

use crate::{
    draft::is_slug,
    loaders::{ProductById, ProductBySlug, VariantBySku},
    product::{Product, Variant},
};

/// Entity finders; absent from the SDL.
#[derive(Default)]
pub struct EntityQuery;

#[Object]
impl EntityQuery {
    #[graphql(entity)]
    async fn product_by_id(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Product>, ApiError> {
        find_by_id(ctx, &id).await
    }

    #[graphql(entity)]
    async fn product_by_slug(&self, ctx: &Context<'_>, slug: String) -> Result<Option<Product>, ApiError> {
        find_by_slug(ctx, slug).await
    }

    #[graphql(entity)]
    async fn variant_by_sku(&self, ctx: &Context<'_>, sku: ID) -> Result<Option<Variant>, ApiError> {
        let Ok(sku) = Sku::try_from(sku.0) else {
            return Ok(None);
        };
        ctx.data_unchecked::<VariantBySku>()
            .try_load(sku)
            .await
            .map_err(ApiError::internal)?
    }
}

/// The product with this id, if the caller may see it. Text that is no id finds nothing.
pub async fn find_by_id(ctx: &Context<'_>, id: &str) -> Result<Option<Product>, ApiError> {
    let Ok(id) = id.parse() else { return Ok(None) };
    let found = ctx
        .data_unchecked::<ProductById>()
        .try_load(id)
        .await
        .map_err(ApiError::internal)??;
    Ok(found.filter(|product| product.is_visible(ctx)))
}

/// The product with this slug, if the caller may see it. Text that is no slug finds nothing.
pub async fn find_by_slug(ctx: &Context<'_>, slug: String) -> Result<Option<Product>, ApiError> {
    if !is_slug(&slug) {
        return Ok(None);
    }
    let found = ctx
        .data_unchecked::<ProductBySlug>()
        .try_load(slug)
        .await
        .map_err(ApiError::internal)??;
    Ok(found.filter(|product| product.is_visible(ctx)))
}
