//! The second step of a payment: the customer's confirmation is handed on, and the money that was set aside is taken.
//!
//! Payment carries it out once however often it is asked, so a process that dies in between leaves nothing that a repeated call, or the
//! sweeper, would not finish.

use std::time::Duration;

use fondaco_chassis::ApiError;
use fondaco_contracts::{ErrorCode, OrderId, UserError, UserId};

use crate::{
    answer::Answer,
    cancellation::order_not_found,
    error::Stop,
    idempotency,
    order::Status,
    peers::payment::{Charge, Payment},
    settlement::Settlement,
    store::{Key, Order, Store},
};

/// As much as a provider's page returns at most.
const MAX_CONFIRMATION: usize = 2_048;

/// Completes payments.
#[derive(Clone, Debug)]
pub struct Completions {
    store: Store,
    payment: Payment,
    settlement: Settlement,
    lease: Duration,
}

impl Completions {
    /// With what the steps need.
    pub fn new(store: Store, payment: Payment, settlement: Settlement, lease: Duration) -> Self {
        Self {
            store,
            payment,
            settlement,
            lease,
        }
    }

    /// Completes the payment of an order of `customer`, once per idempotency key.
    pub async fn complete(
        &self,
        customer: UserId,
        id: OrderId,
        confirmation: &str,
        key: &str,
    ) -> Result<Answer, ApiError> {
        let key = match validate(customer, id, confirmation, key) {
            Ok(key) => key,
            Err(error) => return Ok(Answer::rejected(error)),
        };
        let mut charge = Charge::Unknown;
        let steps = async {
            let (order, answered) = self.steps(&key, id, confirmation).await?;
            charge = answered;
            Ok(order)
        };
        let ended = idempotency::once(&self.store, &key, id, self.lease, steps).await?;
        Ok(match ended {
            Ok(order) => Answer::of_payment(order, &charge),
            Err(error) => Answer::rejected(error),
        })
    }

    async fn steps(&self, key: &Key, id: OrderId, confirmation: &str) -> Result<(Order, Charge), Stop> {
        let order = self.store.order(id).await?;
        let order = order
            .filter(|order| order.customer == key.customer)
            .ok_or_else(order_not_found)?;
        match order.status {
            Status::Pending => {}
            // It was completed already, perhaps by this key before its process died.
            Status::Confirmed | Status::Failed => {
                self.store.finish(key).await?;
                return Ok((order, Charge::Unknown));
            }
            _ => return Err(not_completable(&order).into()),
        }
        let charge = match self.payment.complete(id, confirmation).await? {
            Some(charge) => charge,
            None => return Err(ApiError::unavailable("the payment has not been started yet").into()),
        };
        let order = self.settlement.conclude(order, charge.clone()).await?;
        if order.status == Status::Pending {
            self.store.give_up(key).await?;
        } else {
            self.store.finish(key).await?;
        }
        Ok((order, charge))
    }
}

fn validate(customer: UserId, id: OrderId, confirmation: &str, key: &str) -> Result<Key, UserError> {
    if confirmation.len() > MAX_CONFIRMATION || confirmation.chars().any(char::is_control) {
        let message = "must have at most 2048 bytes, and no control characters";
        return Err(UserError::on("confirmation", ErrorCode::InvalidInput, message));
    }
    idempotency::key(customer, key, "completePayment", &format!("{id}\n{confirmation}"))
}

fn not_completable(order: &Order) -> UserError {
    let message = format!(
        "the payment of an order that is {} cannot be completed",
        order.status
    );
    UserError::on("orderId", ErrorCode::PaymentNotCompletable, message)
}
