//! Refunds: granted in one commit with the order's transition, then paid back; the sweeper pays what payment did not at once.
//!
//! What is refunded before the order is sent returns to the stock by the event; what is on its way does not.

use std::time::Duration;

use fondaco_chassis::ApiError;
use fondaco_contracts::{ErrorCode, Money, OrderId, RefundId, Sku, UserError, UserId};

use crate::{
    cancellation::order_not_found,
    error::Stop,
    idempotency,
    lines::{self, Demand},
    order::{Event, Status},
    settlement::{ATTEMPTS, Settlement},
    store::{Key, Line, NewRefund, Order, Refund, Store},
};

/// What a customer asks back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundWish {
    /// Of which order.
    pub order: OrderId,
    /// Which lines; none for all that is left.
    pub lines: Option<Vec<Demand>>,
    /// Why.
    pub reason: Option<String>,
    /// Chosen by the customer: one refund per key.
    pub idempotency_key: String,
}

/// A granted refund with its order as it then is, or why there is none.
pub type RefundAnswer = Result<(Order, Option<Refund>), UserError>;

/// Carries refunds out.
#[derive(Clone, Debug)]
pub struct Refunds {
    store: Store,
    settlement: Settlement,
    lease: Duration,
}

impl Refunds {
    /// With what the steps need.
    pub fn new(store: Store, settlement: Settlement, lease: Duration) -> Self {
        Self {
            store,
            settlement,
            lease,
        }
    }

    /// Gives back what `customer` asks for, once per idempotency key.
    pub async fn request(&self, customer: UserId, wish: RefundWish) -> Result<RefundAnswer, ApiError> {
        let (key, asked) = match validate(customer, &wish) {
            Ok(valid) => valid,
            Err(error) => return Ok(Err(error)),
        };
        let steps = self.steps(&key, &wish, asked.as_deref());
        match idempotency::once(&self.store, &key, wish.order, self.lease, steps).await? {
            Ok(order) => Ok(Ok((order, self.store.refund_by_key(&key).await?))),
            Err(error) => Ok(Err(error)),
        }
    }

    async fn steps(&self, key: &Key, wish: &RefundWish, asked: Option<&[Demand]>) -> Result<Order, Stop> {
        let granted = self.grant(key, wish, asked).await?;
        if let Err(error) = self.settlement.pay_back(&granted).await {
            tracing::warn!(order.id = %granted.id, error.cause = %error, "the sweeper must pay back");
        }
        Ok(granted)
    }

    async fn grant(&self, key: &Key, wish: &RefundWish, asked: Option<&[Demand]>) -> Result<Order, Stop> {
        for _ in 0..ATTEMPTS {
            let order = self.store.order(wish.order).await?;
            let order = order
                .filter(|order| order.customer == key.customer)
                .ok_or_else(order_not_found)?;
            let lines = self.store.lines_of(&[order.id]).await?;
            let new = plan(&order, &lines, asked, wish.reason.as_deref())?;
            if let Some(moved) = self.store.grant_refund(key, &new).await? {
                self.settlement.made(moved.id, order.status).await;
                return Ok(moved);
            }
        }
        Err(ApiError::internal("an order changes all the time").into())
    }
}

fn validate(customer: UserId, wish: &RefundWish) -> Result<(Key, Option<Vec<Demand>>), UserError> {
    if let Some(reason) = &wish.reason {
        idempotency::check_text("reason", reason)?;
    }
    let asked = wish.lines.as_deref().map(lines::summed).transpose()?;
    let what = asked.as_deref().map_or("all\n".to_owned(), lines::parameters);
    let parameters = format!(
        "{}\n{what}{}",
        wish.order,
        wish.reason.as_deref().unwrap_or_default()
    );
    let key = idempotency::key(customer, &wish.idempotency_key, "requestRefund", &parameters)?;
    Ok((key, asked))
}

/// What is given back, computed from what is stored.
fn plan<'a>(
    order: &'a Order,
    lines: &[Line],
    asked: Option<&[Demand]>,
    reason: Option<&'a str>,
) -> Result<NewRefund<'a>, Stop> {
    if order.status.after(Event::PartlyRefunded).is_err() {
        let message = format!("an order that is {} cannot be refunded", order.status);
        return Err(UserError::on("orderId", ErrorCode::OrderNotRefundable, message).into());
    }
    let returned = match asked {
        Some(asked) => chosen(lines, asked)?,
        None => all_left(lines),
    };
    let amount = cost(order, lines, &returned)?;
    if amount.minor_units() == 0 {
        let message = "nothing is left to refund";
        return Err(UserError::on("orderId", ErrorCode::RefundExceedsPaid, message).into());
    }
    let left: i32 = lines.iter().map(|line| line.quantity - line.refunded).sum();
    let taken: i32 = returned.iter().map(|(_, quantity)| quantity).sum();
    let event = if taken == left {
        Event::Refunded
    } else {
        Event::PartlyRefunded
    };
    let to = order.status.after(event).map_err(ApiError::internal)?;
    Ok(NewRefund {
        id: RefundId::new(),
        order,
        amount,
        reason,
        lines: returned,
        event,
        to,
        restock: order.status == Status::Confirmed,
    })
}

fn chosen(lines: &[Line], asked: &[Demand]) -> Result<Vec<(Sku, i32)>, UserError> {
    let choose = |demand: &Demand| {
        let line = lines.iter().find(|line| line.sku == demand.sku).ok_or_else(|| {
            let message = format!("{} is not part of the order", demand.sku);
            UserError::on(demand.origin.field("sku"), ErrorCode::UnknownSku, message)
        })?;
        let left = line.quantity - line.refunded;
        if demand.quantity > left {
            let message = format!("only {left} of {} can still be refunded", demand.sku);
            let field = demand.origin.field("quantity");
            return Err(UserError::on(field, ErrorCode::RefundExceedsPaid, message));
        }
        Ok((demand.sku.clone(), demand.quantity))
    };
    asked.iter().map(choose).collect()
}

fn all_left(lines: &[Line]) -> Vec<(Sku, i32)> {
    let left = lines
        .iter()
        .map(|line| (line.sku.clone(), line.quantity - line.refunded));
    left.filter(|(_, quantity)| *quantity > 0).collect()
}

fn cost(order: &Order, lines: &[Line], returned: &[(Sku, i32)]) -> Result<Money, ApiError> {
    let mut sum = Money::zero(order.total.currency);
    for (sku, quantity) in returned {
        let line = lines.iter().find(|line| line.sku == *sku);
        let unit_amount = line.map_or(0, |line| line.unit_amount);
        let cost = Money::new(unit_amount, order.total.currency)
            .and_then(|price| price.checked_mul((*quantity).into()))
            .and_then(|cost| sum.checked_add(cost));
        sum = cost.map_err(ApiError::internal)?;
    }
    Ok(sum)
}
