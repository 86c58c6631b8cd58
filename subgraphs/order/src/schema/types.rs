//! The types of the schema.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use fondaco_chassis::ApiError;
use fondaco_contracts::{Money, OrderId, Sku, UserError};

use super::loaders::LineLoader;
use crate::{answer::Answer, order::Status, peers::inventory::Demand, purchase::Wish, store};

/// A purchase.
pub struct Order(pub store::Order);

/// A purchase.
#[Object]
impl Order {
    async fn id(&self) -> OrderId {
        self.0.id
    }

    async fn status(&self) -> Status {
        self.0.status
    }

    /// What all lines cost.
    async fn total(&self) -> Money {
        self.0.total
    }

    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    async fn lines(&self, ctx: &Context<'_>) -> Result<Vec<OrderLine>, ApiError> {
        let loader = ctx.data_unchecked::<LineLoader>();
        let lines = loader.try_load(self.0.id).await.map_err(ApiError::internal)??;
        lines
            .into_iter()
            .map(|line| OrderLine::new(line, self.0.total))
            .collect()
    }
}

/// So many of one variant, at the price they were bought for.
#[derive(SimpleObject)]
pub struct OrderLine {
    quantity: i32,
    /// The price of one.
    unit_price: Money,
    /// The price of all.
    total: Money,
    variant: ProductVariant,
}

impl OrderLine {
    fn new(line: store::Line, order_total: Money) -> Result<Self, ApiError> {
        let unit_price = Money::new(line.unit_amount, order_total.currency).map_err(ApiError::internal)?;
        let total = unit_price
            .checked_mul(line.quantity.into())
            .map_err(ApiError::internal)?;
        Ok(Self {
            quantity: line.quantity,
            unit_price,
            total,
            variant: ProductVariant { sku: line.sku },
        })
    }
}

/// What was bought; it belongs to the product subgraph.
#[derive(SimpleObject)]
#[graphql(unresolvable = "sku")]
pub struct ProductVariant {
    sku: Sku,
}

/// What to buy.
#[derive(InputObject)]
pub struct PurchaseInput {
    /// Chosen by the client, 1 to 255 bytes: repeating a purchase with the same key returns the first answer.
    idempotency_key: String,
    /// 1 to 50 lines; lines of the same variant are summed.
    lines: Vec<PurchaseLineInput>,
    /// The means of payment.
    payment_token: String,
}

/// So many of one variant.
#[derive(InputObject)]
pub struct PurchaseLineInput {
    sku: Sku,
    /// 1 to 1000.
    quantity: i32,
}

impl From<PurchaseInput> for Wish {
    fn from(input: PurchaseInput) -> Self {
        let demand = |line: PurchaseLineInput| Demand {
            sku: line.sku,
            quantity: line.quantity,
        };
        Self {
            idempotency_key: input.idempotency_key,
            lines: input.lines.into_iter().map(demand).collect(),
            payment_token: input.payment_token,
        }
    }
}

/// The order, or what stands in its way.
#[derive(SimpleObject)]
pub struct PurchasePayload {
    /// There is one as soon as stock was held for it; it may have failed or be pending, then `userErrors` says why.
    order: Option<Order>,
    user_errors: Vec<UserError>,
}

impl From<Answer> for PurchasePayload {
    fn from(answer: Answer) -> Self {
        Self {
            order: answer.order.map(Order),
            user_errors: answer.errors,
        }
    }
}

/// Which order to cancel.
#[derive(InputObject)]
pub struct CancelOrderInput {
    /// The order.
    pub order_id: OrderId,
    /// Chosen by the client, 1 to 255 bytes: repeating a cancellation with the same key returns the first answer.
    pub idempotency_key: String,
}

/// The cancelled order, or what stands in its way.
#[derive(SimpleObject)]
pub struct CancelOrderPayload {
    order: Option<Order>,
    user_errors: Vec<UserError>,
}

impl From<Answer> for CancelOrderPayload {
    fn from(answer: Answer) -> Self {
        Self {
            order: answer.order.map(Order),
            user_errors: answer.errors,
        }
    }
}
