//! Cancelling an order: the status changes first, in one commit with the key's outcome and the event; then the money goes back.
//!
//! The commit also notes that a refund is due, so that the sweeper gives the money back when the process dies before it could, or when
//! payment does not answer. The stock returns by the event. A charge that is still on its way when a PENDING order is cancelled is
//! declined or given back by payment, which is told to keep no money for this order.

use std::time::Duration;

use fondaco_chassis::ApiError;
use fondaco_contracts::{ErrorCode, OrderId, UserError, UserId};

use crate::{
    answer::Answer,
    error::Stop,
    idempotency,
    order::{Event, Status},
    settlement::{ATTEMPTS, Settlement},
    store::{Key, Order, Store, Transition},
};

/// Carries cancellations out.
#[derive(Clone, Debug)]
pub struct Cancellations {
    store: Store,
    settlement: Settlement,
    lease: Duration,
}

impl Cancellations {
    /// With what the steps need.
    pub fn new(store: Store, settlement: Settlement, lease: Duration) -> Self {
        Self {
            store,
            settlement,
            lease,
        }
    }

    /// Cancels an order of `customer`, once per idempotency key.
    pub async fn cancel(&self, customer: UserId, id: OrderId, key: &str) -> Result<Answer, ApiError> {
        let key = match idempotency::key(customer, key, "cancelOrder", &id.to_string()) {
            Ok(key) => key,
            Err(error) => return Ok(Answer::rejected(error)),
        };
        let steps = self.steps(&key, id);
        let ended = idempotency::once(&self.store, &key, id, self.lease, steps).await?;
        Ok(ended.map_or_else(Answer::rejected, Answer::done))
    }

    async fn steps(&self, key: &Key, id: OrderId) -> Result<Order, Stop> {
        let cancelled = self.change_status(key, id).await?;
        if let Err(error) = self.settlement.pay_back(&cancelled).await {
            tracing::warn!(order.id = %id, error.cause = %error, "the sweeper must pay back");
        }
        Ok(cancelled)
    }

    async fn change_status(&self, key: &Key, id: OrderId) -> Result<Order, Stop> {
        for _ in 0..ATTEMPTS {
            let order = self.store.order(id).await?;
            let order = order
                .filter(|order| order.customer == key.customer)
                .ok_or_else(order_not_found)?;
            let Ok(to) = order.status.after(Event::Cancelled) else {
                return Err(not_cancellable(&order).into());
            };
            let change = Transition {
                refund_due: order.status != Status::Draft,
                key: Some(key.clone()),
                ..Transition::new(&order, Event::Cancelled, to)
            };
            if let Some(cancelled) = self.settlement.make(change).await? {
                return Ok(cancelled);
            }
        }
        Err(ApiError::internal("an order changes its status all the time").into())
    }
}

/// No such order, or not the caller's.
pub fn order_not_found() -> UserError {
    UserError::on("orderId", ErrorCode::OrderNotFound, "there is no such order")
}

fn not_cancellable(order: &Order) -> UserError {
    let message = format!("an order that is {} cannot be cancelled", order.status);
    UserError::on("orderId", ErrorCode::OrderNotCancellable, message)
}
