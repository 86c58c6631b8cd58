//! Mutations.

use async_graphql::{Context, Object};
use fondaco_chassis::{ApiError, caller, federation::authenticated, require_user};

use super::types::{CancelOrderInput, CancelOrderPayload, PurchaseInput, PurchasePayload};
use crate::{cancellation::Cancellations, purchase::Purchases};

/// The mutation root.
pub struct Mutation;

#[Object]
impl Mutation {
    /// Buys variants at the catalogue's prices: holds the stock, charges, and confirms the order.
    #[graphql(directive = authenticated::apply(), guard = "require_user()")]
    async fn purchase(&self, ctx: &Context<'_>, input: PurchaseInput) -> Result<PurchasePayload, ApiError> {
        let customer = caller(ctx).require_user()?;
        Ok(ctx
            .data_unchecked::<Purchases>()
            .purchase(customer, input.into())
            .await?
            .into())
    }

    /// Calls one of the caller's orders off, gives the money back and returns the stock.
    #[graphql(directive = authenticated::apply(), guard = "require_user()")]
    async fn cancel_order(
        &self,
        ctx: &Context<'_>,
        input: CancelOrderInput,
    ) -> Result<CancelOrderPayload, ApiError> {
        let customer = caller(ctx).require_user()?;
        let cancellations = ctx.data_unchecked::<Cancellations>();
        Ok(cancellations
            .cancel(customer, input.order_id, &input.idempotency_key)
            .await?
            .into())
    }
}
