//! Mutations: all of them for the order service.

use async_graphql::{Context, Object};
use fondaco_chassis::{ApiError, require_service};
use fondaco_contracts::{Money, OrderId};

use super::types::{ChargeInput, ChargePayload, RefundPayload};
use crate::{charge::Charges, provider::ChargeRequest};

/// The mutation root.
pub struct Mutation;

#[Object]
impl Mutation {
    /// Charges an order's customer, once: a repeated call returns the first answer, one with other parameters is refused.
    #[graphql(inaccessible, guard = "require_service()")]
    async fn charge(&self, ctx: &Context<'_>, input: ChargeInput) -> Result<ChargePayload, ApiError> {
        let amount = money(&input)?;
        let request = ChargeRequest {
            order: input.order_id,
            amount,
            token: input.token,
        };
        let outcome = ctx
            .data_unchecked::<Charges>()
            .charge(&request, input.customer_id)
            .await?;
        Ok(outcome.into())
    }

    /// Makes sure that no money is kept for an order: gives back what was taken, calls off what was not asked for yet.
    #[graphql(inaccessible, guard = "require_service()")]
    async fn refund(&self, ctx: &Context<'_>, order_id: OrderId) -> Result<RefundPayload, ApiError> {
        Ok(ctx.data_unchecked::<Charges>().refund(order_id).await?.into())
    }
}

fn money(input: &ChargeInput) -> Result<Money, ApiError> {
    let minor_units = input.amount.minor_units();
    if minor_units < 0 {
        return Err(ApiError::BadUserInput(
            "an amount to charge is not negative".to_owned(),
        ));
    }
    Money::new(minor_units, input.currency).map_err(ApiError::internal)
}
