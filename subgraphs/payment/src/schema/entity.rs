//! What this subgraph adds to entities of others.

use async_graphql::{ComplexObject, Context, SimpleObject};
use fondaco_chassis::{ApiError, Caller, caller};
use fondaco_contracts::OrderId;

use super::{loader::ChargeLoader, types::Payment};
use crate::store::Charge;

/// A purchase, or a draft of one.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Order {
    /// The order's id.
    pub id: OrderId,
}

#[ComplexObject]
impl Order {
    /// The money for this order; null when nobody was charged, or for anyone but the order's customer.
    async fn payment(&self, ctx: &Context<'_>) -> Result<Option<Payment>, ApiError> {
        let loader = ctx.data_unchecked::<ChargeLoader>();
        let charge = loader.try_load(self.id).await.map_err(ApiError::internal)??;
        let visible = charge.filter(|charge| may_see(caller(ctx), charge));
        Ok(visible.as_ref().and_then(Payment::of))
    }
}

fn may_see(caller: &Caller, charge: &Charge) -> bool {
    let owner = charge.terms.as_ref().map(|terms| terms.customer);
    caller.is_service()
        || caller.has_scope("order:read:any")
        || (owner.is_some() && caller.user_id() == owner)
}
