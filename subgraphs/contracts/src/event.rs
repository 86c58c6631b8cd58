//! Events: what a service writes to its outbox and the streams carry to others.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{EventId, OrderId, ReservationId, Sku};

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
    /// Shape by name: see [`OrderFact`].
    pub payload: serde_json::Value,
    /// When the writer recorded it.
    pub occurred_at: DateTime<Utc>,
}

/// What happens to orders, on the stream `events:order`. Each carries an [`OrderFact`]'s fields.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum OrderEvent {
    /// Somebody began to put an order together; nothing is held.
    Drafted,
    /// Stock is held, payment not settled.
    Created,
    /// Paid: the reservation becomes a sale.
    Confirmed,
    /// Cancelled by the customer: the stock returns.
    Cancelled,
    /// Not paid: the stock returns.
    Failed,
    /// On its way to the customer.
    Fulfilled,
    /// Refunded in part or in full; the units named by the event return.
    Refunded,
}

impl OrderEvent {
    const ALL: [Self; 7] = [
        Self::Drafted,
        Self::Created,
        Self::Confirmed,
        Self::Cancelled,
        Self::Failed,
        Self::Fulfilled,
        Self::Refunded,
    ];

    /// The event's name on the stream.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Drafted => "OrderDrafted",
            Self::Created => "OrderCreated",
            Self::Confirmed => "OrderConfirmed",
            Self::Cancelled => "OrderCancelled",
            Self::Failed => "OrderFailed",
            Self::Fulfilled => "OrderFulfilled",
            Self::Refunded => "OrderRefunded",
        }
    }

    /// The event of this kind about an order whose reservation has the order's own id.
    pub fn about(self, order: OrderId) -> Event {
        OrderFact::new(self, order, order.into()).event()
    }
}

/// An order event with what it carries: `{ "orderId", "reservationId", "returned"? }`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OrderFact {
    /// What happened.
    pub kind: OrderEvent,
    /// To which order.
    pub order: OrderId,
    /// The reservation that holds, or held, its stock.
    pub reservation: ReservationId,
    /// Units of a sale that are for sale again.
    pub returned: Vec<ReturnedUnits>,
}

/// So many units of one SKU.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ReturnedUnits {
    /// Which.
    pub sku: Sku,
    /// How many.
    pub quantity: i32,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct OrderPayload {
    order_id: OrderId,
    /// Absent in events of old: it was the order's id then.
    reservation_id: Option<ReservationId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    returned: Vec<ReturnedUnits>,
}

impl OrderFact {
    /// A fact by which no units return.
    pub fn new(kind: OrderEvent, order: OrderId, reservation: ReservationId) -> Self {
        Self {
            kind,
            order,
            reservation,
            returned: Vec::new(),
        }
    }

    /// The event that carries it.
    pub fn event(&self) -> Event {
        let mut payload = serde_json::json!({ "orderId": self.order, "reservationId": self.reservation });
        if !self.returned.is_empty() {
            payload["returned"] = serde_json::json!(self.returned);
        }
        Event {
            id: EventId::new(),
            aggregate_id: self.order.to_string(),
            name: self.kind.name().to_owned(),
            payload,
            occurred_at: Utc::now(),
        }
    }

    /// What `event` carries; `None` where it is not a well-formed order event.
    pub fn parse(event: &Event) -> Option<Self> {
        let kind = OrderEvent::ALL
            .into_iter()
            .find(|kind| kind.name() == event.name)?;
        let payload: OrderPayload = serde_json::from_value(event.payload.clone()).ok()?;
        Some(Self {
            kind,
            order: payload.order_id,
            reservation: payload.reservation_id.unwrap_or(payload.order_id.into()),
            returned: payload.returned,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_events_survive_the_stream() {
        for kind in OrderEvent::ALL {
            let mut fact = OrderFact::new(kind, OrderId::new(), ReservationId::new());
            check(&fact);
            fact.returned = vec![ReturnedUnits {
                sku: "COAT-M".parse().unwrap(),
                quantity: 2,
            }];
            check(&fact);
        }
    }

    fn check(fact: &OrderFact) {
        let carried = serde_json::to_string(&fact.event()).unwrap();
        let event: Event = serde_json::from_str(&carried).unwrap();
        assert_eq!(OrderFact::parse(&event).as_ref(), Some(fact));
    }

    #[test]
    fn events_of_old_name_no_reservation() {
        let order = OrderId::new();
        let mut event = OrderEvent::Confirmed.about(order);
        event.payload = serde_json::json!({ "orderId": order });
        assert_eq!(
            OrderFact::parse(&event).map(|fact| fact.reservation),
            Some(order.into())
        );
    }
}
