//! An order that was confirmed although its stock had gone to somebody else: it is cancelled, and its money goes back.
//!
//! Confirming an order and selling its hold are two commits with an event in between. Where that event is late, the hold may lapse and
//! its units be sold; inventory then says so, in the transaction that finds it out. The cancellation is committed with the inbox row and
//! notes that money is due, so it happens once, and the sweeper gives the money back where this process dies before it does.

use fondaco_contracts::{Event, ReservationLost};
use fondaco_messaging::{HandleError, Handler};
use sqlx::PgConnection;

use crate::{
    answer::SOLD_OUT,
    order::{self, Status},
    settlement::Settlement,
    store::{Order, StoreError, Transition, orders, transitions},
};

/// The stream, below the Redis prefix.
pub const STREAM: &str = "events:inventory";
/// The consumer group.
pub const GROUP: &str = "order";

/// The handler of inventory's events.
#[derive(Clone, Debug)]
pub struct StockEvents(pub Settlement);

impl Handler for StockEvents {
    type FollowUp = Vec<Order>;

    async fn handle(
        &self,
        connection: &mut PgConnection,
        events: &[Event],
    ) -> Result<Vec<Order>, HandleError> {
        let mut cancelled = Vec::new();
        for event in events {
            let lost = ReservationLost::parse(event)
                .ok_or_else(|| HandleError::Failed("not an event of inventory".to_owned()))?;
            cancelled.extend(cancel(connection, &lost).await?);
        }
        Ok(cancelled)
    }

    async fn committed(&self, cancelled: Vec<Order>) {
        for order in &cancelled {
            self.0.made(order.id, Status::Confirmed).await;
            if let Err(error) = self.0.pay_back(order).await {
                tracing::warn!(order.id = %order.id, error.cause = %error, "the sweeper must pay back");
            }
        }
    }
}

/// The order as it then is; none where there is nothing to cancel (any more).
async fn cancel(connection: &mut PgConnection, lost: &ReservationLost) -> Result<Option<Order>, HandleError> {
    let order = orders::lock(connection, lost.order_id).await?;
    let Some(order) = order.filter(|order| order.reservation == lost.reservation_id) else {
        return Ok(None);
    };
    let Ok(to) = order.status.after(order::Event::StockLost) else {
        if order.status == Status::Fulfilled {
            // Nothing here can take it back: somebody must look for the missing units. Among the dead letters this is kept until they have.
            return Err(HandleError::Failed(format!(
                "order {} was sent although its stock was sold to somebody else",
                order.id
            )));
        }
        return Ok(None);
    };
    let change = Transition {
        failure: Some(SOLD_OUT.to_owned()),
        refund_due: true,
        ..Transition::new(&order, order::Event::StockLost, to)
    };
    let moved = transitions::make(connection, &change).await?;
    tracing::warn!(order.id = %order.id, "an order is cancelled: its stock was sold while its confirmation was on its way");
    Ok(moved)
}

impl From<StoreError> for HandleError {
    fn from(StoreError(error): StoreError) -> Self {
        error.into()
    }
}
