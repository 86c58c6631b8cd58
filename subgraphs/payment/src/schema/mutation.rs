//! Mutations: all of them for the order service.

use std::sync::Arc;

use async_graphql::{Context, Object};
use fondaco_chassis::{ApiError, require_service};
use fondaco_contracts::{Money, OrderId};

use super::types::{ChargeInput, ChargePayload, RefundPartInput, RefundPayload};
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
            capture: input.capture,
        };
        let outcome = ctx
            .data_unchecked::<Arc<Charges>>()
            .charge(&request, input.customer_id)
            .await?;
        Ok(outcome.into())
    }

    /// Completes a payment that waits for its second step; null when no charge was ever asked for.
    #[graphql(inaccessible, guard = "require_service()")]
    async fn complete_charge(
        &self,
        ctx: &Context<'_>,
        order_id: OrderId,
        confirmation: String,
    ) -> Result<Option<ChargePayload>, ApiError> {
        let charges = ctx.data_unchecked::<Arc<Charges>>();
        let outcome = charges.complete(order_id, &confirmation).await?;
        Ok(outcome.map(ChargePayload::from))
    }

    /// Makes sure that no money is kept for an order: gives back what is left of what was taken, calls off what was not asked for yet.
    #[graphql(inaccessible, guard = "require_service()")]
    async fn refund(&self, ctx: &Context<'_>, order_id: OrderId) -> Result<RefundPayload, ApiError> {
        Ok(ctx
            .data_unchecked::<Arc<Charges>>()
            .refund(order_id)
            .await?
            .into())
    }

    /// Gives some of an order's money back, once per refund.
    #[graphql(inaccessible, guard = "require_service()")]
    async fn refund_part(
        &self,
        ctx: &Context<'_>,
        input: RefundPartInput,
    ) -> Result<RefundPayload, ApiError> {
        let amount = input.amount.minor_units();
        if amount < 1 {
            return Err(ApiError::BadUserInput(
                "an amount to refund is positive".to_owned(),
            ));
        }
        let charges = ctx.data_unchecked::<Arc<Charges>>();
        Ok(charges
            .refund_part(input.order_id, input.refund_id, amount)
            .await?
            .into())
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
