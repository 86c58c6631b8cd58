//! What happens to orders settles their reservations: the handler of the stream `events:order`.
//!
//! A confirmation that finds its units gone is answered by [`ReservationLost`], in the same transaction.

use std::collections::BTreeMap;

use fondaco_chassis::ApiError;
use fondaco_contracts::{Event, OrderEvent, OrderFact, OrderId, ReservationId, ReservationLost};
use fondaco_messaging::{HandleError, Handler, Wake, outbox};
use sqlx::PgConnection;

use crate::{
    inventory::Inventory,
    reservation::{ReservationStatus, Settlement},
    store::{
        give_back::give_back,
        settle::{Settled, settle},
    },
};

/// The stream, below the Redis prefix.
pub const STREAM: &str = "events:order";
/// The stream of what this service publishes.
pub const PUBLISHED: &str = "events:inventory";
/// The consumer group.
pub const GROUP: &str = "inventory";

/// Settles in the transaction of the inbox; Redis follows after it is committed.
pub struct OrderEvents {
    inventory: Inventory,
    wake: Wake,
}

impl Handler for OrderEvents {
    type FollowUp = FollowUp;

    /// All at once, so that stock rows are locked in one order whatever the order of events.
    async fn handle(&self, connection: &mut PgConnection, events: &[Event]) -> Result<FollowUp, HandleError> {
        let facts = parse(events)?;
        match facts.as_slice() {
            [refund] if refund.kind == OrderEvent::Refunded => self.give_back(connection, refund).await,
            several if several.iter().any(|fact| fact.kind == OrderEvent::Refunded) => {
                Err(HandleError::Failed("a refund is handled alone".to_owned()))
            }
            facts => self.settle(connection, facts).await,
        }
    }

    async fn committed(&self, follow_up: FollowUp) {
        if follow_up.lost > 0 {
            self.wake.notify();
        }
        self.inventory.follow(&follow_up.settled).await;
    }
}

/// What is left to do once the effects are committed.
#[derive(Default)]
pub struct FollowUp {
    /// For Redis to follow.
    settled: Vec<Settled>,
    /// Events that wait for the relay.
    lost: usize,
}

impl OrderEvents {
    /// Settles in `inventory`; `wake` hurries the relay of what it publishes.
    pub fn new(inventory: Inventory, wake: Wake) -> Self {
        Self { inventory, wake }
    }

    async fn settle(
        &self,
        connection: &mut PgConnection,
        facts: &[OrderFact],
    ) -> Result<FollowUp, HandleError> {
        let wanted = settlements(facts);
        let settlements: Vec<_> = wanted
            .iter()
            .map(|(id, (_, settlement))| (*id, *settlement))
            .collect();
        let settled = settle(connection, &settlements).await?;
        self.inventory
            .forget_returned(&settled)
            .await
            .map_err(unavailable)?;
        let lost = lost(&wanted, &settled);
        for one in &lost {
            outbox::append(connection, &one.event()).await?;
        }
        Ok(FollowUp {
            settled,
            lost: lost.len(),
        })
    }

    /// The counters are made anew, as whenever a sale returns.
    async fn give_back(
        &self,
        connection: &mut PgConnection,
        refund: &OrderFact,
    ) -> Result<FollowUp, HandleError> {
        if !refund.returned.is_empty() {
            let skus = give_back(connection, refund.reservation, &refund.returned).await?;
            self.inventory.forget(&skus).await.map_err(unavailable)?;
        }
        Ok(FollowUp::default())
    }
}

fn parse(events: &[Event]) -> Result<Vec<OrderFact>, HandleError> {
    let facts = events.iter().map(OrderFact::parse);
    let facts: Option<Vec<OrderFact>> = facts.collect();
    facts.ok_or_else(|| HandleError::Failed("not an order event".to_owned()))
}

/// What the last event about each order asks for: a confirmation that was followed by a cancellation ends as a release.
fn settlements(facts: &[OrderFact]) -> BTreeMap<ReservationId, (OrderId, Settlement)> {
    let mut last = BTreeMap::new();
    for fact in facts {
        let settlement = match fact.kind {
            OrderEvent::Confirmed => Settlement::Confirm,
            OrderEvent::Cancelled | OrderEvent::Failed => Settlement::Release,
            OrderEvent::Drafted | OrderEvent::Created | OrderEvent::Fulfilled | OrderEvent::Refunded => {
                continue;
            }
        };
        last.insert(fact.reservation, (fact.order, settlement));
    }
    last
}

fn unavailable(error: ApiError) -> HandleError {
    HandleError::Unavailable(error.to_string())
}

/// Confirmations whose units are gone, or were never held.
fn lost(
    wanted: &BTreeMap<ReservationId, (OrderId, Settlement)>,
    settled: &[Settled],
) -> Vec<ReservationLost> {
    let sold = |id: ReservationId| {
        settled
            .iter()
            .any(|one| one.id == id && one.status == ReservationStatus::Confirmed)
    };
    let confirmations = wanted
        .iter()
        .filter(|(_, (_, settlement))| *settlement == Settlement::Confirm);
    confirmations
        .filter(|(id, _)| !sold(**id))
        .map(|(id, (order, _))| {
            tracing::warn!(order.id = %order, "an order was confirmed whose stock is gone");
            ReservationLost {
                order_id: *order,
                reservation_id: *id,
            }
        })
        .collect()
}
