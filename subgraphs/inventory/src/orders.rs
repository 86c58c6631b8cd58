//! What happens to orders settles their reservations: the handler of the stream `events:order`.

use std::collections::BTreeMap;

use fondaco_chassis::ApiError;
use fondaco_contracts::{Event, OrderEvent, OrderFact, ReservationId};
use fondaco_messaging::{HandleError, Handler};
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
/// The consumer group.
pub const GROUP: &str = "inventory";

/// Settles in the transaction of the inbox; Redis follows after it is committed.
pub struct OrderEvents(pub Inventory);

impl Handler for OrderEvents {
    type FollowUp = Vec<Settled>;

    /// All at once, so that stock rows are locked in one order whatever the order of events.
    async fn handle(
        &self,
        connection: &mut PgConnection,
        events: &[Event],
    ) -> Result<Vec<Settled>, HandleError> {
        let facts = parse(events)?;
        match facts.as_slice() {
            [refund] if refund.kind == OrderEvent::Refunded => self.give_back(connection, refund).await,
            several if several.iter().any(|fact| fact.kind == OrderEvent::Refunded) => {
                Err(HandleError::Failed("a refund is handled alone".to_owned()))
            }
            facts => self.settle(connection, facts).await,
        }
    }

    async fn committed(&self, settled: Vec<Settled>) {
        self.0.follow(&settled).await;
    }
}

impl OrderEvents {
    async fn settle(
        &self,
        connection: &mut PgConnection,
        facts: &[OrderFact],
    ) -> Result<Vec<Settled>, HandleError> {
        let wanted = settlements(facts);
        let settled = settle(connection, &wanted).await?;
        self.0.forget_returned(&settled).await.map_err(unavailable)?;
        report(&wanted, &settled);
        Ok(settled)
    }

    /// The counters are made anew, as whenever a sale returns.
    async fn give_back(
        &self,
        connection: &mut PgConnection,
        refund: &OrderFact,
    ) -> Result<Vec<Settled>, HandleError> {
        if !refund.returned.is_empty() {
            let skus = give_back(connection, refund.reservation, &refund.returned).await?;
            self.0.forget(&skus).await.map_err(unavailable)?;
        }
        Ok(Vec::new())
    }
}

fn parse(events: &[Event]) -> Result<Vec<OrderFact>, HandleError> {
    let facts = events.iter().map(OrderFact::parse);
    let facts: Option<Vec<OrderFact>> = facts.collect();
    facts.ok_or_else(|| HandleError::Failed("not an order event".to_owned()))
}

/// What the last event about each order asks for: a confirmation that was followed by a cancellation ends as a release.
fn settlements(facts: &[OrderFact]) -> Vec<(ReservationId, Settlement)> {
    let mut last = BTreeMap::new();
    for fact in facts {
        let settlement = match fact.kind {
            OrderEvent::Confirmed => Settlement::Confirm,
            OrderEvent::Cancelled | OrderEvent::Failed => Settlement::Release,
            OrderEvent::Drafted | OrderEvent::Created | OrderEvent::Fulfilled | OrderEvent::Refunded => {
                continue;
            }
        };
        last.insert(fact.reservation, settlement);
    }
    last.into_iter().collect()
}

fn unavailable(error: ApiError) -> HandleError {
    HandleError::Unavailable(error.to_string())
}

fn report(wanted: &[(ReservationId, Settlement)], settled: &[Settled]) {
    for one in settled {
        let confirm = wanted.contains(&(one.id, Settlement::Confirm));
        if confirm && one.status != ReservationStatus::Confirmed {
            tracing::error!(reservation.id = %one.id, "an order was confirmed whose stock is gone");
        }
    }
}
