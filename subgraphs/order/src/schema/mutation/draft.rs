//! Putting orders together.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use fondaco_chassis::{ApiError, caller, federation::authenticated, require_user};
use fondaco_contracts::{OrderId, Sku, UserError};

use crate::{
    answer::Answer,
    draft::Drafts,
    schema::types::{Order, OrderLineInput, demands},
};

/// The lines of a new draft.
#[derive(InputObject)]
struct CreateOrderInput {
    /// Chosen by the client, 1 to 255 bytes: repeating a request with the same key returns the first draft.
    idempotency_key: String,
    /// 1 to 50 lines; lines of the same variant are summed.
    lines: Vec<OrderLineInput>,
}

/// Lines for a draft.
#[derive(InputObject)]
struct AddOrderItemsInput {
    /// Chosen by the client, 1 to 255 bytes: repeating a request with the same key adds nothing more.
    idempotency_key: String,
    /// The draft.
    order_id: OrderId,
    /// Added to what is there of the same variants.
    lines: Vec<OrderLineInput>,
}

/// A line of a draft.
#[derive(InputObject)]
struct UpdateOrderItemInput {
    /// The draft.
    order_id: OrderId,
    /// Which line.
    sku: Sku,
    /// How many from now on: 1 to 1000, or 0 to remove the line.
    quantity: i32,
}

/// The draft, or what stands in its way.
#[derive(SimpleObject)]
struct DraftPayload {
    order: Option<Order>,
    user_errors: Vec<UserError>,
}

/// Putting orders together.
#[derive(Default)]
pub struct DraftMutation;

#[Object]
impl DraftMutation {
    /// Begins a draft: an order whose lines can be changed. Nothing is held until it is bought.
    #[graphql(directive = authenticated::apply(), guard = "require_user()")]
    async fn create_order(
        &self,
        ctx: &Context<'_>,
        input: CreateOrderInput,
    ) -> Result<DraftPayload, ApiError> {
        let customer = caller(ctx).require_user()?;
        let drafts = ctx.data_unchecked::<Drafts>();
        let lines = demands(input.lines);
        Ok(drafts
            .create(customer, &input.idempotency_key, &lines)
            .await?
            .into())
    }

    /// Adds lines to a draft.
    #[graphql(directive = authenticated::apply(), guard = "require_user()")]
    async fn add_order_items(
        &self,
        ctx: &Context<'_>,
        input: AddOrderItemsInput,
    ) -> Result<DraftPayload, ApiError> {
        let customer = caller(ctx).require_user()?;
        let drafts = ctx.data_unchecked::<Drafts>();
        let lines = demands(input.lines);
        let answer = drafts
            .add(customer, input.order_id, &input.idempotency_key, &lines)
            .await?;
        Ok(answer.into())
    }

    /// Changes how many of a variant a draft has.
    #[graphql(directive = authenticated::apply(), guard = "require_user()")]
    async fn update_order_item(
        &self,
        ctx: &Context<'_>,
        input: UpdateOrderItemInput,
    ) -> Result<DraftPayload, ApiError> {
        let customer = caller(ctx).require_user()?;
        let drafts = ctx.data_unchecked::<Drafts>();
        let answer = drafts
            .update(customer, input.order_id, &input.sku, input.quantity)
            .await?;
        Ok(answer.into())
    }
}

impl From<Answer> for DraftPayload {
    fn from(answer: Answer) -> Self {
        Self {
            order: answer.order.map(Order::from),
            user_errors: answer.errors,
        }
    }
}
