//! What happens to stock, on the stream `events:inventory`.

use chrono::Utc;
use serde::{Deserialize, Serialize};

use crate::{Event, EventId, OrderId, ReservationId};

/// An order was confirmed whose units were gone: its hold had ended, and somebody else has them. Payload `{ "orderId", "reservationId" }`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReservationLost {
    /// The order that cannot be delivered.
    pub order_id: OrderId,
    /// The reservation that it was confirmed with.
    pub reservation_id: ReservationId,
}

impl ReservationLost {
    /// The event's name on the stream.
    pub const NAME: &str = "ReservationLost";

    /// The event that carries it.
    pub fn event(&self) -> Event {
        Event {
            id: EventId::new(),
            aggregate_id: self.order_id.to_string(),
            name: Self::NAME.to_owned(),
            payload: serde_json::json!(self),
            occurred_at: Utc::now(),
        }
    }

    /// What `event` carries; `None` where it is another event, or not well formed.
    pub fn parse(event: &Event) -> Option<Self> {
        let payload = event.payload.clone();
        (event.name == Self::NAME).then(|| serde_json::from_value(payload).ok())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_survives_the_stream() {
        let lost = ReservationLost {
            order_id: OrderId::new(),
            reservation_id: ReservationId::new(),
        };
        let carried = serde_json::to_string(&lost.event()).unwrap();
        let mut event: Event = serde_json::from_str(&carried).unwrap();
        assert_eq!(ReservationLost::parse(&event), Some(lost));
        event.name = "Other".to_owned();
        assert_eq!(ReservationLost::parse(&event), None);
    }
}
