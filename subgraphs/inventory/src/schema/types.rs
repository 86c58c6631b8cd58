//! Object types: the variant as this subgraph extends it, its availability, and the stock behind it.

use async_graphql::{Context, Object, SimpleObject};
use fondaco_chassis::{ApiError, caller};
use fondaco_contracts::Sku;

use crate::{availability::AvailableBySku, store::StockRow};

/// The scope of those who manage stock.
pub const WRITE_SCOPE: &str = "inventory:write";

/// One of the forms in which a product is sold.
pub struct ProductVariant {
    /// Its key.
    pub sku: Sku,
}

/// One of the forms in which a product is sold.
#[Object]
impl ProductVariant {
    /// Its stock keeping unit.
    async fn sku(&self) -> &Sku {
        &self.sku
    }

    /// Can it be bought now? A moment's view: only a purchase decides. Null while the stock cannot be told: the catalogue outlives that.
    async fn availability(&self, ctx: &Context<'_>) -> Result<Option<Availability>, ApiError> {
        let loader = ctx.data_unchecked::<AvailableBySku>();
        let available = loader
            .try_load(self.sku.clone())
            .await
            .map_err(ApiError::internal)??;
        Ok(Some(Availability {
            available: quantity(available),
            in_stock: available > 0,
        }))
    }
}

/// How much of a variant can be bought.
#[derive(SimpleObject)]
pub struct Availability {
    /// Units neither sold nor held.
    available: i32,
    /// Is there any?
    in_stock: bool,
}

/// The stock of one SKU. What is sold and held is for those who manage stock.
#[derive(Clone)]
pub struct StockLevel(pub StockRow);

/// The stock of one SKU. What is sold and held is for those who manage stock.
#[Object]
impl StockLevel {
    /// Which.
    async fn sku(&self) -> &Sku {
        &self.0.sku
    }

    /// Units neither sold nor held.
    async fn available(&self) -> i32 {
        quantity(self.0.available())
    }

    /// Is there any?
    async fn in_stock(&self) -> bool {
        self.0.available() > 0
    }

    /// Units there have ever been, less those taken away.
    #[graphql(requires_scopes = "inventory:write")]
    async fn total(&self, ctx: &Context<'_>) -> Result<Option<i32>, ApiError> {
        figure(ctx, self.0.total)
    }

    /// Units sold.
    #[graphql(requires_scopes = "inventory:write")]
    async fn sold(&self, ctx: &Context<'_>) -> Result<Option<i32>, ApiError> {
        figure(ctx, self.0.sold)
    }

    /// Units held for orders that are not paid yet.
    #[graphql(requires_scopes = "inventory:write")]
    async fn held(&self, ctx: &Context<'_>) -> Result<Option<i32>, ApiError> {
        figure(ctx, self.0.held)
    }
}

fn figure(ctx: &Context<'_>, figure: i64) -> Result<Option<i32>, ApiError> {
    let caller = caller(ctx);
    if !caller.is_service() {
        caller.require_scope(WRITE_SCOPE)?;
    }
    Ok(Some(quantity(figure)))
}

/// Totals fit 32 bits by a constraint; a counter in doubt is shown as nothing rather than as less.
pub fn quantity(figure: i64) -> i32 {
    i32::try_from(figure.max(0)).unwrap_or(i32::MAX)
}
