//! Buying.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use fondaco_chassis::{ApiError, caller, federation::authenticated, require_user};
use fondaco_contracts::{ErrorCode, OrderId, UserError};

use crate::{
    answer::Answer,
    completion::Completions,
    purchase::{Basket, Purchases, Wish},
    schema::types::{Order, OrderLineInput, demands},
};

/// What to buy: exactly one of `lines`, `orderId` and `wishlist`.
#[derive(InputObject)]
struct PurchaseInput {
    /// Chosen by the client, 1 to 255 bytes: repeating a purchase with the same key returns the first answer.
    idempotency_key: String,
    /// 1 to 50 lines; lines of the same variant are summed.
    lines: Option<Vec<OrderLineInput>>,
    /// A draft of the caller's, which becomes the order.
    order_id: Option<OrderId>,
    /// All that is on the caller's wishlist; what is paid leaves it.
    #[graphql(default)]
    wishlist: bool,
    /// The means of payment.
    payment_token: String,
}

/// Which payment to complete.
#[derive(InputObject)]
struct CompletePaymentInput {
    /// The order that is paid.
    order_id: OrderId,
    /// Chosen by the client, 1 to 255 bytes: repeating a request with the same key returns the first answer.
    idempotency_key: String,
    /// What the provider gave the customer who confirmed the payment; empty where no confirmation is asked for.
    #[graphql(default)]
    confirmation: String,
}

/// The order, or what stands in its way.
#[derive(SimpleObject)]
struct PurchasePayload {
    /// There is one as soon as stock was held for it; it may have failed or be pending, then `userErrors` says why.
    order: Option<Order>,
    user_errors: Vec<UserError>,
}

/// Buying.
#[derive(Default)]
pub struct PurchaseMutation;

#[Object]
impl PurchaseMutation {
    /// Buys variants at the catalogue's prices: holds the stock, charges, and confirms the order.
    #[graphql(directive = authenticated::apply(), guard = "require_user()")]
    async fn purchase(&self, ctx: &Context<'_>, input: PurchaseInput) -> Result<PurchasePayload, ApiError> {
        let customer = caller(ctx).require_user()?;
        let answer = match wish(input, true) {
            Ok(wish) => ctx.data_unchecked::<Purchases>().purchase(customer, wish).await?,
            Err(error) => Answer::rejected(error),
        };
        Ok(answer.into())
    }

    /// Holds the stock and sets the money aside; `completePayment` takes it. What is not completed while the stock is held is let go.
    #[graphql(directive = authenticated::apply(), guard = "require_user()")]
    async fn start_payment(
        &self,
        ctx: &Context<'_>,
        input: PurchaseInput,
    ) -> Result<PurchasePayload, ApiError> {
        let customer = caller(ctx).require_user()?;
        let answer = match wish(input, false) {
            Ok(wish) => ctx.data_unchecked::<Purchases>().purchase(customer, wish).await?,
            Err(error) => Answer::rejected(error),
        };
        Ok(answer.into())
    }

    /// Takes the money that was set aside for one of the caller's orders, or hands the caller's confirmation of the payment on.
    #[graphql(directive = authenticated::apply(), guard = "require_user()")]
    async fn complete_payment(
        &self,
        ctx: &Context<'_>,
        input: CompletePaymentInput,
    ) -> Result<PurchasePayload, ApiError> {
        let customer = caller(ctx).require_user()?;
        let answer = ctx
            .data_unchecked::<Completions>()
            .complete(
                customer,
                input.order_id,
                &input.confirmation,
                &input.idempotency_key,
            )
            .await?;
        Ok(answer.into())
    }
}

fn wish(input: PurchaseInput, capture: bool) -> Result<Wish, UserError> {
    let basket = match (input.lines, input.order_id, input.wishlist) {
        (Some(lines), None, false) => Basket::Lines(demands(lines)),
        (None, Some(draft), false) => Basket::Draft(draft),
        (None, None, true) => Basket::Wishlist,
        _ => {
            let message = "say what to buy by exactly one of lines, orderId and wishlist";
            return Err(UserError::new(ErrorCode::InvalidInput, message));
        }
    };
    Ok(Wish {
        idempotency_key: input.idempotency_key,
        basket,
        payment_token: input.payment_token,
        capture,
    })
}

impl From<Answer> for PurchasePayload {
    fn from(answer: Answer) -> Self {
        Self {
            order: answer.order.map(Order::from),
            user_errors: answer.errors,
        }
    }
}
