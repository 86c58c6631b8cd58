//! Fulfilment: the merchant sends a paid order.

use std::time::Duration;

use fondaco_chassis::ApiError;
use fondaco_contracts::{ErrorCode, OrderId, UserError, UserId};

use crate::{
    answer::Answer,
    cancellation::order_not_found,
    error::Stop,
    idempotency,
    order::Event,
    settlement::{ATTEMPTS, Settlement},
    store::{Key, Order, Store, Transition},
};

/// Carries fulfilments out.
#[derive(Clone, Debug)]
pub struct Fulfilments {
    store: Store,
    settlement: Settlement,
    lease: Duration,
}

impl Fulfilments {
    /// With what the steps need.
    pub fn new(store: Store, settlement: Settlement, lease: Duration) -> Self {
        Self {
            store,
            settlement,
            lease,
        }
    }

    /// Marks an order as sent by `merchant`, once per idempotency key.
    pub async fn fulfil(
        &self,
        merchant: UserId,
        id: OrderId,
        tracking_code: Option<&str>,
        key: &str,
    ) -> Result<Answer, ApiError> {
        let key = match validate(merchant, id, tracking_code, key) {
            Ok(key) => key,
            Err(error) => return Ok(Answer::rejected(error)),
        };
        let steps = self.send(&key, id, tracking_code);
        let ended = idempotency::once(&self.store, &key, id, self.lease, steps).await?;
        Ok(ended.map_or_else(Answer::rejected, Answer::done))
    }

    async fn send(&self, key: &Key, id: OrderId, tracking_code: Option<&str>) -> Result<Order, Stop> {
        for _ in 0..ATTEMPTS {
            let order = self.store.order(id).await?.ok_or_else(order_not_found)?;
            let Ok(to) = order.status.after(Event::Fulfilled) else {
                let message = format!("an order that is {} cannot be sent", order.status);
                return Err(UserError::on("orderId", ErrorCode::OrderNotFulfillable, message).into());
            };
            let change = Transition {
                tracking_code: tracking_code.map(str::to_owned),
                key: Some(key.clone()),
                ..Transition::new(&order, Event::Fulfilled, to)
            };
            if let Some(sent) = self.settlement.make(change).await? {
                return Ok(sent);
            }
        }
        Err(ApiError::internal("an order changes its status all the time").into())
    }
}

fn validate(merchant: UserId, id: OrderId, tracking_code: Option<&str>, key: &str) -> Result<Key, UserError> {
    if let Some(code) = tracking_code {
        idempotency::check_text("trackingCode", code)?;
    }
    let parameters = format!("{id}\n{}", tracking_code.unwrap_or_default());
    idempotency::key(merchant, key, "fulfillOrder", &parameters)
}
