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
    idempotency::{self, Begun},
    settlement::Settlement,
    store::{Key, Order, Outcome, Store},
};

/// A transition can be overtaken once by a payment's outcome; it cannot happen more often.
const ATTEMPTS: usize = 3;

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
        match idempotency::begin(&self.store, &key, id, self.lease).await {
            Ok(Begun::Ours { order, .. }) => {
                let ended = self.steps(&key, order).await;
                self.answer(&key, ended).await
            }
            Ok(Begun::Ended {
                outcome: Outcome::Rejected(error),
                ..
            }) => Ok(Answer::rejected(error)),
            Ok(Begun::Ended { order, .. }) => self.done(order).await,
            Err(Stop::Rejected(error)) => Ok(Answer::rejected(error)),
            Err(Stop::Fault(fault)) => Err(fault),
        }
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
            let order = self
                .store
                .order(id)
                .await?
                .filter(|order| order.customer == key.customer);
            let order = order.ok_or_else(not_found)?;
            if order.status.after(crate::order::Event::Cancelled).is_err() {
                return Err(not_cancellable(&order).into());
            }
            if let Some(cancelled) = self.settlement.cancel(order, key).await? {
                return Ok(cancelled);
            }
        }
        Err(ApiError::internal("an order changes its status all the time").into())
    }

    async fn answer(&self, key: &Key, ended: Result<Order, Stop>) -> Result<Answer, ApiError> {
        match ended {
            Ok(order) => Ok(Answer::of_cancellation(order)),
            Err(Stop::Rejected(error)) => {
                let stored = self.store.reject(key, &error).await?;
                // Unless somebody took over and has cancelled it meanwhile: then that is the answer.
                if stored {
                    Ok(Answer::rejected(error))
                } else {
                    self.read_again(key, error).await
                }
            }
            Err(Stop::Fault(fault)) => {
                if let Err(error) = self.store.give_up(key).await {
                    tracing::warn!(error.cause = %error, "the lease of an idempotency key must run out");
                }
                Err(fault)
            }
        }
    }

    async fn read_again(&self, key: &Key, error: UserError) -> Result<Answer, ApiError> {
        match self.store.record(key).await? {
            Some(record) if matches!(record.outcome, Some(Outcome::Ordered(_))) => {
                self.done(record.order).await
            }
            _ => Ok(Answer::rejected(error)),
        }
    }

    async fn done(&self, id: OrderId) -> Result<Answer, ApiError> {
        let order = self
            .store
            .order(id)
            .await?
            .ok_or_else(|| ApiError::internal("an order vanished"))?;
        Ok(Answer::of_cancellation(order))
    }
}

fn not_found() -> UserError {
    UserError::on("orderId", ErrorCode::OrderNotFound, "there is no such order")
}

fn not_cancellable(order: &Order) -> UserError {
    let message = format!("an order that is {} cannot be cancelled", order.status);
    UserError::on("orderId", ErrorCode::OrderNotCancellable, message)
}
