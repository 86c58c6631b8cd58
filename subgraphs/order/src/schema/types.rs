//! The types of the schema.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use fondaco_chassis::ApiError;
use fondaco_contracts::{Money, OrderId, RefundId, Sku, UserId};

use super::loaders::{HistoryLoader, LineLoader, OrderVersion, RefundLoader};
use crate::{
    lines::{Demand, Origin},
    order::{Event, Status},
    store::{self, OrderWithLines, RefundStatus},
    wishlist::Wishlists,
};

/// A purchase, or a draft of one.
pub struct Order {
    stored: store::Order,
    /// Where they were read together with the order.
    lines: Option<Vec<store::Line>>,
}

impl From<store::Order> for Order {
    fn from(stored: store::Order) -> Self {
        Self { stored, lines: None }
    }
}

impl From<OrderWithLines> for Order {
    fn from(whole: OrderWithLines) -> Self {
        Self {
            stored: whole.order,
            lines: Some(whole.lines),
        }
    }
}

/// A purchase, or a draft of one.
#[Object]
impl Order {
    async fn id(&self) -> OrderId {
        self.stored.id
    }

    async fn status(&self) -> Status {
        self.stored.status
    }

    /// What all lines cost.
    async fn total(&self) -> Money {
        self.stored.total
    }

    /// What was given back of it, or is about to be.
    async fn refunded(&self) -> Money {
        self.stored.refunded
    }

    async fn created_at(&self) -> DateTime<Utc> {
        self.stored.created_at
    }

    /// By which the order can be followed on its way.
    async fn tracking_code(&self) -> Option<&str> {
        self.stored.tracking_code.as_deref()
    }

    async fn lines(&self, ctx: &Context<'_>) -> Result<Vec<OrderLine>, ApiError> {
        let lines = match &self.lines {
            Some(lines) => lines.clone(),
            None => {
                let loader = ctx.data_unchecked::<LineLoader>();
                loader
                    .try_load(self.version())
                    .await
                    .map_err(ApiError::internal)??
            }
        };
        lines
            .into_iter()
            .map(|line| OrderLine::new(line, self.stored.total))
            .collect()
    }

    /// The refunds that were granted, oldest first.
    async fn refunds(&self, ctx: &Context<'_>) -> Result<Vec<Refund>, ApiError> {
        let loader = ctx.data_unchecked::<RefundLoader>();
        let refunds = loader
            .try_load(self.version())
            .await
            .map_err(ApiError::internal)??;
        Ok(refunds.into_iter().map(Refund::from).collect())
    }

    /// What happened to it, oldest first.
    async fn history(&self, ctx: &Context<'_>) -> Result<Vec<OrderTransition>, ApiError> {
        let loader = ctx.data_unchecked::<HistoryLoader>();
        let history = loader
            .try_load(self.version())
            .await
            .map_err(ApiError::internal)??;
        Ok(history.into_iter().map(OrderTransition::of).collect())
    }
}

impl Order {
    fn version(&self) -> OrderVersion {
        OrderVersion {
            order: self.stored.id,
            version: self.stored.version,
        }
    }
}

/// So many of one variant, at the price they were bought for.
#[derive(SimpleObject)]
pub struct OrderLine {
    quantity: i32,
    /// How many of them were refunded.
    refunded_quantity: i32,
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
            refunded_quantity: line.refunded,
            unit_price,
            total,
            variant: ProductVariant { sku: line.sku },
        })
    }
}

/// Money that is given back.
#[derive(SimpleObject)]
pub struct Refund {
    id: RefundId,
    status: RefundStatus,
    amount: Money,
    reason: Option<String>,
}

impl From<store::Refund> for Refund {
    fn from(refund: store::Refund) -> Self {
        Self {
            id: refund.id,
            status: refund.status,
            amount: refund.amount,
            reason: refund.reason,
        }
    }
}

/// Something that happened to an order.
#[derive(SimpleObject)]
pub struct OrderTransition {
    event: Event,
    /// Where it stood before; null at first.
    from: Option<Status>,
    /// Where it stood then.
    to: Status,
    /// Why, where there is more to say.
    reason: Option<String>,
    at: DateTime<Utc>,
}

impl OrderTransition {
    fn of(entry: store::HistoryEntry) -> Self {
        Self {
            event: entry.event,
            from: entry.from,
            to: entry.to,
            reason: entry.reason,
            at: entry.occurred_at,
        }
    }
}

/// One of the forms in which a product is sold.
#[derive(SimpleObject)]
#[graphql(unresolvable = "sku")]
pub struct ProductVariant {
    sku: Sku,
}

/// What somebody keeps for later.
#[derive(SimpleObject)]
pub struct Wishlist {
    /// In the order in which they came.
    items: Vec<WishlistItem>,
}

impl Wishlist {
    /// That of `customer`.
    pub async fn of(wishlists: &Wishlists, customer: UserId) -> Result<Self, ApiError> {
        let items = wishlists.items(customer).await?;
        let item = |item: store::WishlistItem| WishlistItem {
            quantity: item.quantity,
            added_at: item.added_at,
            variant: ProductVariant { sku: item.sku },
        };
        Ok(Self {
            items: items.into_iter().map(item).collect(),
        })
    }
}

/// So many of one variant.
#[derive(SimpleObject)]
pub struct WishlistItem {
    quantity: i32,
    added_at: DateTime<Utc>,
    variant: ProductVariant,
}

/// So many of one variant.
#[derive(InputObject)]
pub struct OrderLineInput {
    sku: Sku,
    /// 1 to 1000.
    quantity: i32,
}

/// What the lines ask for.
pub fn demands(lines: Vec<OrderLineInput>) -> Vec<Demand> {
    let demand = |(index, line): (usize, OrderLineInput)| Demand {
        sku: line.sku,
        quantity: line.quantity,
        origin: Origin::Line(index),
    };
    lines.into_iter().enumerate().map(demand).collect()
}
