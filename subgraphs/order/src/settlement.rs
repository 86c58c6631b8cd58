//! Settling orders: what a payment's outcome means for its order, and the sweeper that finds outcomes nobody waited for.
//!
//! An order is never assumed unpaid: while the outcome is unknown it stays PENDING. The sweeper takes orders that are open for too long
//! (the process died, the provider or payment did not answer) and asks payment:
//!
//! | payment says    | then                                                                                                        |
//! |-----------------|-------------------------------------------------------------------------------------------------------------|
//! | captured        | CONFIRMED; near or after the end of the hold only if inventory confirms the sale first, else refunded and FAILED |
//! | declined        | FAILED, stock released                                                                                      |
//! | unknown         | later                                                                                                       |
//! | never heard     | payment is told to call the charge off, which declines it should it still arrive; then FAILED               |
//! | nothing, it is away | later                                                                                                   |

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use fondaco_chassis::ApiError;
use fondaco_messaging::Wake;
use futures::{StreamExt, stream};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::{
    answer::{NOT_CHARGED, SOLD_OUT},
    order::{Event, Status},
    peers::{
        inventory::Inventory,
        payment::{Charge, Payment, Refund},
    },
    store::{Key, Order, Store, Transition},
};

/// Orders that one sweep takes.
const BATCH: i64 = 100;
/// Orders that one sweep settles at a time.
const CONCURRENCY: usize = 8;
/// A hold this close to its end counts as lapsed: the confirmation must still reach inventory.
const MARGIN: TimeDelta = TimeDelta::seconds(5);

/// Settles orders. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Settlement {
    store: Store,
    payment: Payment,
    inventory: Inventory,
    wake: Wake,
    again: Duration,
}

impl Settlement {
    /// `again`: the pause before an order is looked at again.
    pub fn new(store: Store, payment: Payment, inventory: Inventory, wake: Wake, again: Duration) -> Self {
        Self {
            store,
            payment,
            inventory,
            wake,
            again,
        }
    }

    /// Brings a PENDING order to where its payment's outcome takes it. Whoever was faster decides; the order is returned as it then is.
    pub async fn conclude(&self, order: Order, charge: Charge) -> Result<Order, ApiError> {
        match charge {
            Charge::Unknown => {
                self.store.settle_in(order.id, self.again).await?;
                Ok(order)
            }
            Charge::Captured if Utc::now() + MARGIN > order.held_until => self.captured_late(order).await,
            Charge::Captured => self.apply(order, Event::PaymentCaptured, None).await,
            Charge::Declined(code) => self.fail(order, &code).await,
        }
    }

    /// Cancels an order as the completion of `key`. None when its status does not allow it.
    pub async fn cancel(&self, order: Order, key: &Key) -> Result<Option<Order>, ApiError> {
        let Ok(to) = order.status.after(Event::Cancelled) else {
            return Ok(None);
        };
        let change = Transition {
            order: &order,
            to,
            failure: None,
            refund_due: true,
            key: Some(key),
        };
        let cancelled = self.store.transition(&change).await?;
        if cancelled.is_some() {
            self.wake.notify();
        }
        Ok(cancelled)
    }

    /// Gives back what was paid for a cancelled order. While payment cannot say that it did, the sweeper goes on asking.
    pub async fn pay_back(&self, order: &Order) -> Result<(), ApiError> {
        match self.payment.refund(order.id).await? {
            Refund::Refunded | Refund::NotCharged => Ok(self.store.refunded(order.id).await?),
            Refund::Unknown => Ok(()),
        }
    }

    /// Looks for orders to settle until `stop`.
    pub async fn sweep(self, interval: Duration, stop: CancellationToken) {
        while stop.run_until_cancelled(sleep(interval)).await.is_some() {
            match self.store.take_due(BATCH, self.again).await {
                Ok(due) => {
                    stream::iter(due)
                        .for_each_concurrent(CONCURRENCY, |order| self.settle(order))
                        .await
                }
                Err(error) => tracing::warn!(error.cause = %error, "cannot look for orders to settle"),
            }
        }
    }

    async fn settle(&self, order: Order) {
        let (id, settled) = match order.status {
            Status::Pending => (order.id, self.find_out(order).await.map(drop)),
            _ => (order.id, self.pay_back(&order).await),
        };
        if let Err(error) = settled {
            tracing::warn!(order.id = %id, error.cause = %error, "order not settled yet");
        }
    }

    async fn find_out(&self, order: Order) -> Result<Order, ApiError> {
        let charge = match self.payment.charge_outcome(order.id).await? {
            Some(charge) => charge,
            None => self.call_off(&order).await?,
        };
        self.conclude(order, charge).await
    }

    async fn call_off(&self, order: &Order) -> Result<Charge, ApiError> {
        Ok(match self.payment.refund(order.id).await? {
            Refund::Refunded | Refund::NotCharged => Charge::Declined(NOT_CHARGED.to_owned()),
            Refund::Unknown => Charge::Unknown,
        })
    }

    /// The hold may be gone, and the stock sold to somebody else: inventory has the last word.
    async fn captured_late(&self, order: Order) -> Result<Order, ApiError> {
        if self.inventory.confirm(order.id).await? {
            return self.apply(order, Event::PaymentCaptured, None).await;
        }
        match self.payment.refund(order.id).await? {
            Refund::Refunded | Refund::NotCharged => self.fail(order, SOLD_OUT).await,
            Refund::Unknown => Ok(order),
        }
    }

    /// Releases at once too, so that the next buyer need not wait for the event; both are idempotent.
    async fn fail(&self, order: Order, code: &str) -> Result<Order, ApiError> {
        let order = self.apply(order, Event::PaymentDeclined, Some(code)).await?;
        if order.status == Status::Failed
            && let Err(error) = self.inventory.release(order.id).await
        {
            tracing::info!(order.id = %order.id, error.cause = %error, "stock is released by the event instead");
        }
        Ok(order)
    }

    async fn apply(&self, order: Order, event: Event, failure: Option<&str>) -> Result<Order, ApiError> {
        let Ok(to) = order.status.after(event) else {
            return Ok(order);
        };
        let change = Transition {
            order: &order,
            to,
            failure,
            refund_due: false,
            key: None,
        };
        if let Some(moved) = self.store.transition(&change).await? {
            self.wake.notify();
            return Ok(moved);
        }
        let now = self.store.order(order.id).await?;
        now.ok_or_else(|| ApiError::internal("an order vanished"))
    }
}
