//! What happens to orders after they were bought.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use fondaco_chassis::{ApiError, caller, federation::authenticated, require_scope, require_user};
use fondaco_contracts::{OrderId, UserError};

use crate::{
    answer::Answer,
    cancellation::Cancellations,
    fulfilment::Fulfilments,
    refund::{RefundWish, Refunds},
    schema::types::{Order, OrderLineInput, Refund, demands},
};

/// The scope of those who send orders.
const WRITE_SCOPE: &str = "order:write";

/// Which order to cancel.
#[derive(InputObject)]
struct CancelOrderInput {
    /// The order.
    order_id: OrderId,
    /// Chosen by the client, 1 to 255 bytes: repeating a cancellation with the same key returns the first answer.
    idempotency_key: String,
}

/// What to give back.
#[derive(InputObject)]
struct RequestRefundInput {
    /// The order.
    order_id: OrderId,
    /// Chosen by the client, 1 to 255 bytes: repeating a request with the same key refunds nothing more.
    idempotency_key: String,
    /// Which lines, and how many of each; without them all that is left.
    lines: Option<Vec<OrderLineInput>>,
    /// Why, for the records.
    reason: Option<String>,
}

/// Which order is on its way.
#[derive(InputObject)]
struct FulfillOrderInput {
    /// The order.
    order_id: OrderId,
    /// Chosen by the client, 1 to 255 bytes: repeating a request with the same key returns the first answer.
    idempotency_key: String,
    /// By which the customer can follow it.
    tracking_code: Option<String>,
}

/// The cancelled order, or what stands in its way.
#[derive(SimpleObject)]
struct CancelOrderPayload {
    order: Option<Order>,
    user_errors: Vec<UserError>,
}

/// The granted refund and its order, or what stands in its way.
#[derive(SimpleObject)]
struct RequestRefundPayload {
    order: Option<Order>,
    refund: Option<Refund>,
    user_errors: Vec<UserError>,
}

/// The order that is on its way, or what stands in its way.
#[derive(SimpleObject)]
struct FulfillOrderPayload {
    order: Option<Order>,
    user_errors: Vec<UserError>,
}

/// What happens to orders after they were bought.
#[derive(Default)]
pub struct AfterSaleMutation;

#[Object]
impl AfterSaleMutation {
    /// Calls one of the caller's orders off, gives the money back and returns the stock.
    #[graphql(directive = authenticated::apply(), guard = "require_user()")]
    async fn cancel_order(
        &self,
        ctx: &Context<'_>,
        input: CancelOrderInput,
    ) -> Result<CancelOrderPayload, ApiError> {
        let customer = caller(ctx).require_user()?;
        let cancellations = ctx.data_unchecked::<Cancellations>();
        let Answer { order, errors } = cancellations
            .cancel(customer, input.order_id, &input.idempotency_key)
            .await?;
        Ok(CancelOrderPayload {
            order: order.map(Order::from),
            user_errors: errors,
        })
    }

    /// Gives some or all of the money of one of the caller's paid orders back. What was not sent yet returns to the stock.
    #[graphql(directive = authenticated::apply(), guard = "require_user()")]
    async fn request_refund(
        &self,
        ctx: &Context<'_>,
        input: RequestRefundInput,
    ) -> Result<RequestRefundPayload, ApiError> {
        let customer = caller(ctx).require_user()?;
        let wish = RefundWish {
            order: input.order_id,
            lines: input.lines.map(demands),
            reason: input.reason,
            idempotency_key: input.idempotency_key,
        };
        let payload = match ctx.data_unchecked::<Refunds>().request(customer, wish).await? {
            Ok((order, refund)) => RequestRefundPayload {
                order: Some(order.into()),
                refund: refund.map(Refund::from),
                user_errors: vec![],
            },
            Err(error) => RequestRefundPayload {
                order: None,
                refund: None,
                user_errors: vec![error],
            },
        };
        Ok(payload)
    }

    /// Marks a paid order as sent. For merchants.
    #[graphql(requires_scopes = "order:write", guard = "require_scope(WRITE_SCOPE)")]
    async fn fulfill_order(
        &self,
        ctx: &Context<'_>,
        input: FulfillOrderInput,
    ) -> Result<FulfillOrderPayload, ApiError> {
        let merchant = caller(ctx).require_user()?;
        let tracking_code = input.tracking_code.as_deref();
        let Answer { order, errors } = ctx
            .data_unchecked::<Fulfilments>()
            .fulfil(merchant, input.order_id, tracking_code, &input.idempotency_key)
            .await?;
        Ok(FulfillOrderPayload {
            order: order.map(Order::from),
            user_errors: errors,
        })
    }
}
