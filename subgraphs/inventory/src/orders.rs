//! What happens to orders settles their reservations: the handler of the stream `events:order`.

use std::collections::BTreeMap;

use fondaco_chassis::ApiError;
use fondaco_contracts::{Event, OrderEvent, ReservationId};
use fondaco_messaging::{HandleError, Handler};
use sqlx::PgConnection;

use crate::{
    inventory::Inventory,
    reservation::{ReservationStatus, Settlement},
    store::settle::{Settled, settle},
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
        let wanted = settlements(events)?;
        let settled = settle(connection, &wanted).await?;
        self.0.forget_returned(&settled).await.map_err(unavailable)?;
        report(&wanted, &settled);
        Ok(settled)
    }

    async fn committed(&self, settled: Vec<Settled>) {
        self.0.follow(&settled).await;
    }
}

/// What the last event about each order asks for: a confirmation that was followed by a cancellation ends as a release.
fn settlements(events: &[Event]) -> Result<Vec<(ReservationId, Settlement)>, HandleError> {
    let mut last = BTreeMap::new();
    for event in events {
        let (kind, order) =
            OrderEvent::parse(event).ok_or_else(|| HandleError::Failed("not an order event".to_owned()))?;
        let settlement = match kind {
            OrderEvent::Created => continue,
            OrderEvent::Confirmed => Settlement::Confirm,
            OrderEvent::Cancelled | OrderEvent::Failed => Settlement::Release,
        };
        last.insert(ReservationId::from(order), settlement);
    }
    Ok(last.into_iter().collect())
}

fn unavailable(error: ApiError) -> HandleError {
    HandleError::Unavailable(error.to_string())
}

fn report(wanted: &[(ReservationId, Settlement)], settled: &[Settled]) {
    for one in settled {
        let confirm = wanted.contains(&(one.id, Settlement::Confirm));
        if confirm && one.status != ReservationStatus::Confirmed {
            tracing::error!(reservation.id = %one.id, "an order was confirmed whose hold had ended");
        }
    }
}
