//! Events: what a service writes to its outbox and the streams carry to others.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{EventId, OrderId};

/// A fact about one aggregate, as it is stored and carried.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Unique; consumers recognise repeated deliveries by it.
    pub id: EventId,
    /// What the event is about; events of one aggregate arrive in order.
    pub aggregate_id: String,
    /// What happened, such as `OrderConfirmed`.
    pub name: String,
    /// Shape by name: see [`OrderEvent`].
    pub payload: serde_json::Value,
    /// When the writer recorded it.
    pub occurred_at: DateTime<Utc>,
}

/// What happens to orders, on the stream `events:order`. Each carries `{ "orderId": UUID }`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum OrderEvent {
    /// Stock is held, payment not settled.
    Created,
    /// Paid: the reservation becomes a sale.
    Confirmed,
    /// Cancelled by the customer: the stock returns.
    Cancelled,
    /// Not paid: the stock returns.
    Failed,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct OrderPayload {
    order_id: OrderId,
}

impl OrderEvent {
    const ALL: [Self; 4] = [Self::Created, Self::Confirmed, Self::Cancelled, Self::Failed];

    /// The event's name on the stream.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "OrderCreated",
            Self::Confirmed => "OrderConfirmed",
            Self::Cancelled => "OrderCancelled",
            Self::Failed => "OrderFailed",
        }
    }

    /// The event of this kind about `order`.
    pub fn about(self, order: OrderId) -> Event {
        Event {
            id: EventId::new(),
            aggregate_id: order.to_string(),
            name: self.name().to_owned(),
            payload: serde_json::json!({ "orderId": order }),
            occurred_at: Utc::now(),
        }
    }

    /// Kind and order of `event`; `None` where it is not a well-formed order event.
    pub fn parse(event: &Event) -> Option<(Self, OrderId)> {
        let kind = Self::ALL.into_iter().find(|kind| kind.name() == event.name)?;
        let payload: OrderPayload = serde_json::from_value(event.payload.clone()).ok()?;
        Some((kind, payload.order_id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_events_survive_the_stream() {
        for kind in OrderEvent::ALL {
            let order = OrderId::new();
            let carried = serde_json::to_string(&kind.about(order)).unwrap();
            let event: Event = serde_json::from_str(&carried).unwrap();
            assert_eq!(OrderEvent::parse(&event), Some((kind, order)));
        }
    }
}
