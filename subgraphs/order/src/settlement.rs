//! Settling orders: what a payment's outcome means for its order, and the sweeper that finds outcomes nobody waited for.
//!
//! An order is never assumed unpaid: while the outcome is unknown it stays PENDING. The sweeper takes orders that are open for too long
//! (the process died, the provider or payment did not answer) and asks payment; [`saga`](crate::saga) decides what follows from the
//! answer.

use std::time::Duration;

use fondaco_chassis::{ApiError, Clock};
use fondaco_contracts::OrderId;
use fondaco_messaging::Wake;
use futures::{StreamExt, stream};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::{
    cache::OrderCache,
    idempotency::stored,
    order::{Event, Status},
    peers::{
        inventory::Inventory,
        payment::{Charge, Payment, Refunded},
    },
    saga::{self, Decision, Learnt},
    store::{Order, RefundStatus, Store, Transition},
};

/// Orders that one sweep takes.
const BATCH: i64 = 100;
/// A transition can be overtaken by a payment's outcome and a few other changes; it cannot happen more often.
pub const ATTEMPTS: usize = 5;
/// Orders that one sweep settles at a time.
const CONCURRENCY: usize = 8;

/// Settles orders. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Settlement {
    store: Store,
    payment: Payment,
    inventory: Inventory,
    cache: OrderCache,
    wake: Wake,
    clock: Clock,
    again: Duration,
}

impl Settlement {
    /// Holds lapse by `clock`; `again`: the pause before an order is looked at again.
    pub fn new(
        store: Store,
        payment: Payment,
        inventory: Inventory,
        cache: OrderCache,
        wake: Wake,
        clock: Clock,
        again: Duration,
    ) -> Self {
        Self {
            store,
            payment,
            inventory,
            cache,
            wake,
            clock,
            again,
        }
    }

    /// Brings a PENDING order to where its payment takes it. Whoever was faster decides; the order is returned as it then is.
    pub async fn conclude(&self, order: Order, charge: Charge) -> Result<Order, ApiError> {
        self.follow(order, Learnt::Charge(charge)).await
    }

    async fn follow(&self, order: Order, learnt: Learnt) -> Result<Order, ApiError> {
        let mut learnt = learnt;
        loop {
            match saga::decide(order.held_until, &learnt, self.clock.now()) {
                Decision::LookAgain => {
                    self.store.settle_in(order.id, self.again).await?;
                    return Ok(order);
                }
                Decision::LookAtLapse => {
                    self.store.settle_at_lapse(order.id).await?;
                    return Ok(order);
                }
                Decision::ConfirmSale => {
                    learnt = Learnt::Sale(self.inventory.confirm(order.reservation).await?);
                }
                Decision::Confirm => return self.apply(order, Event::PaymentCaptured, None, false).await,
                Decision::Fail { code, pay_back } => return self.fail(order, &code, pay_back).await,
            }
        }
    }

    /// Makes a transition, and hurries its event. None when the order is no longer as it was read.
    pub async fn make(&self, change: Transition) -> Result<Option<Order>, ApiError> {
        let (id, before) = (change.order, change.from);
        let moved = self.store.transition(change).await?;
        if moved.is_some() {
            self.made(id, before).await;
        }
        Ok(moved)
    }

    /// An order that was in `before` has changed, and that is committed: its event is hurried, and readers see the change.
    pub async fn made(&self, id: OrderId, before: Status) {
        self.wake.notify();
        self.cache.changed(id, before).await;
    }

    /// Gives back what was granted, and all that was paid for an order that was called off. While payment cannot say that it did, the
    /// sweeper goes on asking.
    pub async fn pay_back(&self, order: &Order) -> Result<(), ApiError> {
        for refund in self.store.refunds_of(&[order.id]).await? {
            if refund.status == RefundStatus::Paid {
                continue;
            }
            match self
                .payment
                .refund_part(order.id, refund.id, refund.amount)
                .await?
            {
                Refunded::Refunded | Refunded::NotCharged => self.store.refund_paid(refund.id).await?,
                Refunded::Unknown => return Ok(()),
            }
        }
        if !order.refund_due {
            return Ok(self.store.settled(order.id).await?);
        }
        match self.payment.refund(order.id).await? {
            Refunded::Refunded | Refunded::NotCharged => Ok(self.store.paid_back(order.id).await?),
            Refunded::Unknown => Ok(()),
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
        let learnt = match self.payment.charge_outcome(order.id).await? {
            Some(charge) => Learnt::Charge(charge),
            None => Learnt::NeverCharged,
        };
        self.follow(order, learnt).await
    }

    /// Releases at once too, so that the next buyer need not wait for the event; both are idempotent.
    async fn fail(&self, order: Order, code: &str, pay_back: bool) -> Result<Order, ApiError> {
        let order = self
            .apply(order, Event::PaymentDeclined, Some(code), pay_back)
            .await?;
        if order.status != Status::Failed {
            return Ok(order);
        }
        if let Err(error) = self.inventory.release(order.reservation).await {
            tracing::info!(order.id = %order.id, error.cause = %error, "stock is released by the event instead");
        }
        if order.refund_due
            && let Err(error) = self.pay_back(&order).await
        {
            tracing::warn!(order.id = %order.id, error.cause = %error, "the sweeper must pay back");
        }
        Ok(order)
    }

    async fn apply(
        &self,
        order: Order,
        event: Event,
        failure: Option<&str>,
        refund_due: bool,
    ) -> Result<Order, ApiError> {
        let Ok(to) = order.status.after(event) else {
            return Ok(order);
        };
        let change = Transition {
            failure: failure.map(str::to_owned),
            refund_due,
            ..Transition::new(&order, event, to)
        };
        match self.make(change).await? {
            Some(moved) => Ok(moved),
            None => stored(&self.store, order.id).await,
        }
    }
}
