//! What happens to orders settles their reservations: the handler of the stream `events:order`.

use fondaco_chassis::ApiError;
use fondaco_contracts::{Event, OrderEvent, ReservationId};
use fondaco_messaging::{HandleError, Handler};
use sqlx::PgConnection;
use tokio::{
    sync::mpsc,
    time::{Duration, sleep},
};
use tokio_util::sync::CancellationToken;

use crate::{
    inventory::Inventory,
    reservation::{ReservationStatus, Settlement},
    store::settle::{Settled, settle},
};

/// The stream, below the Redis prefix.
pub const STREAM: &str = "events:order";
/// The consumer group.
pub const GROUP: &str = "inventory";

const COMMIT_PAUSE: Duration = Duration::from_millis(5);
const COMMIT_ATTEMPTS: usize = 20;

/// Settles in the transaction of the inbox; Redis follows after it is committed.
pub struct OrderEvents {
    inventory: Inventory,
    followers: mpsc::UnboundedSender<Settled>,
}

impl OrderEvents {
    /// The handler, and the queue of what Redis has to follow, for [`follow`].
    pub fn new(inventory: Inventory) -> (Self, mpsc::UnboundedReceiver<Settled>) {
        let (followers, queue) = mpsc::unbounded_channel();
        (Self { inventory, followers }, queue)
    }
}

impl Handler for OrderEvents {
    async fn handle(&self, connection: &mut PgConnection, event: &Event) -> Result<(), HandleError> {
        let Some((kind, order)) = OrderEvent::parse(event) else {
            return Err(HandleError::Failed("not an order event".to_owned()));
        };
        let settlement = match kind {
            OrderEvent::Created => return Ok(()),
            OrderEvent::Confirmed => Settlement::Confirm,
            OrderEvent::Cancelled | OrderEvent::Failed => Settlement::Release,
        };
        let settled = settle(connection, &[(ReservationId::from(order), settlement)]).await?;
        self.inventory
            .forget_returned(&settled)
            .await
            .map_err(unavailable)?;
        for one in settled {
            report(&one, settlement);
            // Without a follower (the service is stopping) the sweep will do.
            let _ = self.followers.send(one);
        }
        Ok(())
    }
}

fn unavailable(error: ApiError) -> HandleError {
    HandleError::Unavailable(error.to_string())
}

fn report(settled: &Settled, settlement: Settlement) {
    if settlement == Settlement::Confirm && settled.status != ReservationStatus::Confirmed {
        tracing::error!(reservation.id = %settled.id, "an order was confirmed whose hold had ended");
    }
}

/// Has Redis follow what the handler settled, as soon as its transaction is committed.
pub async fn follow(
    inventory: Inventory,
    mut queue: mpsc::UnboundedReceiver<Settled>,
    stop: CancellationToken,
) {
    while let Some(Some(settled)) = stop.run_until_cancelled(queue.recv()).await {
        if is_committed(&inventory, &settled).await {
            inventory.follow(&[settled]).await;
        }
    }
}

/// What stays uncommitted is handled again, or swept.
async fn is_committed(inventory: &Inventory, settled: &Settled) -> bool {
    for _ in 0..COMMIT_ATTEMPTS {
        let stored = inventory
            .store()
            .reservations(&[settled.id])
            .await
            .unwrap_or_default();
        if stored
            .first()
            .is_some_and(|stored| stored.status == settled.status)
        {
            return true;
        }
        sleep(COMMIT_PAUSE).await;
    }
    false
}
