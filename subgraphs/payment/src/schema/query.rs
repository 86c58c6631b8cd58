//! Queries.

use std::sync::Arc;

use async_graphql::{Context, Object};
use fondaco_chassis::{ApiError, require_service};
use fondaco_contracts::OrderId;

use super::{entity::Order, types::ChargePayload};
use crate::charge::Charges;

/// The query root.
pub struct Query;

#[Object]
impl Query {
    #[graphql(entity)]
    async fn order_by_id(&self, id: OrderId) -> Order {
        Order { id }
    }

    /// What became of an order's charge; null when none was ever asked for.
    #[graphql(inaccessible, guard = "require_service()")]
    async fn charge_outcome(
        &self,
        ctx: &Context<'_>,
        order_id: OrderId,
    ) -> Result<Option<ChargePayload>, ApiError> {
        let outcome = ctx.data_unchecked::<Arc<Charges>>().outcome(order_id).await?;
        Ok(outcome.map(ChargePayload::from))
    }
}
