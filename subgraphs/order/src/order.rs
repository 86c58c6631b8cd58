//! The order's state machine: pure, with its transition table.
//!
//! | from      | event              | to        | published      |
//! |-----------|--------------------|-----------|----------------|
//! | –         | drafted            | DRAFT     | OrderDrafted   |
//! | –         | placed             | PENDING   | OrderCreated   |
//! | DRAFT     | placed             | PENDING   | OrderCreated   |
//! | DRAFT     | cancelled          | CANCELLED | OrderCancelled |
//! | PENDING   | payment captured   | CONFIRMED | OrderConfirmed |
//! | PENDING   | payment declined   | FAILED    | OrderFailed    |
//! | PENDING   | cancelled          | CANCELLED | OrderCancelled |
//! | CONFIRMED | cancelled          | CANCELLED | OrderCancelled |
//! | CONFIRMED | stock lost         | CANCELLED | OrderCancelled |
//! | CONFIRMED | fulfilled          | FULFILLED | OrderFulfilled |
//! | CONFIRMED | refunded in part   | CONFIRMED | OrderRefunded  |
//! | CONFIRMED | refunded           | REFUNDED  | OrderRefunded  |
//! | FULFILLED | refunded in part   | FULFILLED | OrderRefunded  |
//! | FULFILLED | refunded           | REFUNDED  | OrderRefunded  |
//!
//! Everything else is refused. The store makes each transition by an update that is conditional on the state and version read, so two
//! actors that decide at once cannot both succeed: the later one reads again and finds the table refusing it. Each is kept in the order's history.

use std::str::FromStr;

use async_graphql::{Enum, resolver_utils::EnumType};
use fondaco_contracts::OrderEvent;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum, Serialize, Deserialize)]
#[graphql(name = "OrderStatus")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// Being put together; nothing is held and nothing is due.
    Draft,
    /// Stock is held; the payment's outcome is not known yet.
    Pending,
    /// Paid.
    Confirmed,
    /// Paid and on its way.
    Fulfilled,
    /// Called off, by the customer or because its stock was lost; anything paid is refunded.
    Cancelled,
    /// The payment was declined or never happened; the stock went back.
    Failed,
    /// All of it was refunded.
    Refunded,
}

/// What can happen to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum)]
#[graphql(name = "OrderTransitionEvent")]
pub enum Event {
    /// Somebody began to put it together.
    Drafted,
    /// It was bought: stock is held.
    Placed,
    /// The payment service has the money.
    PaymentCaptured,
    /// The payment service has not, and never will have, the money.
    PaymentDeclined,
    /// The customer called the order off.
    Cancelled,
    /// Its units had gone to somebody else when its payment was confirmed.
    StockLost,
    /// The merchant sent it.
    Fulfilled,
    /// Some of it was refunded.
    PartlyRefunded,
    /// The last of it was refunded.
    Refunded,
}

/// The state machine does not allow this event in this state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("an order that is {status} refuses {event:?}")]
pub struct Refused {
    /// The state the order is in.
    pub status: Status,
    /// The event it refused.
    pub event: Event,
}

const TRANSITIONS: &[(Status, Event, Status)] = &[
    (Status::Draft, Event::Placed, Status::Pending),
    (Status::Draft, Event::Cancelled, Status::Cancelled),
    (Status::Pending, Event::PaymentCaptured, Status::Confirmed),
    (Status::Pending, Event::PaymentDeclined, Status::Failed),
    (Status::Pending, Event::Cancelled, Status::Cancelled),
    (Status::Confirmed, Event::Cancelled, Status::Cancelled),
    (Status::Confirmed, Event::StockLost, Status::Cancelled),
    (Status::Confirmed, Event::Fulfilled, Status::Fulfilled),
    (Status::Confirmed, Event::PartlyRefunded, Status::Confirmed),
    (Status::Confirmed, Event::Refunded, Status::Refunded),
    (Status::Fulfilled, Event::PartlyRefunded, Status::Fulfilled),
    (Status::Fulfilled, Event::Refunded, Status::Refunded),
];

impl Event {
    /// What is published when it has happened.
    pub const fn published(self) -> OrderEvent {
        match self {
            Self::Drafted => OrderEvent::Drafted,
            Self::Placed => OrderEvent::Created,
            Self::PaymentCaptured => OrderEvent::Confirmed,
            Self::PaymentDeclined => OrderEvent::Failed,
            Self::Cancelled | Self::StockLost => OrderEvent::Cancelled,
            Self::Fulfilled => OrderEvent::Fulfilled,
            Self::PartlyRefunded | Self::Refunded => OrderEvent::Refunded,
        }
    }

    /// The name as stored and as shown to clients.
    pub fn as_str(self) -> &'static str {
        name(self)
    }
}

impl Status {
    /// The state that follows `event`.
    pub fn after(self, event: Event) -> Result<Self, Refused> {
        TRANSITIONS
            .iter()
            .find(|(from, on, _)| (*from, *on) == (self, event))
            .map(|(_, _, to)| *to)
            .ok_or(Refused { status: self, event })
    }

    /// The name as stored and as shown to clients.
    pub fn as_str(self) -> &'static str {
        name(self)
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Status {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        value(name).ok_or_else(|| format!("unknown order status {name:?}"))
    }
}

impl FromStr for Event {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        value(name).ok_or_else(|| format!("unknown order event {name:?}"))
    }
}

fn name<T: EnumType + PartialEq>(value: T) -> &'static str {
    let item = T::items().iter().find(|item| item.value == value);
    item.expect("items are all values").name
}

fn value<T: EnumType + Copy>(name: &str) -> Option<T> {
    T::items()
        .iter()
        .find(|item| item.name == name)
        .map(|item| item.value)
}

#[cfg(test)]
mod tests {
    use async_graphql::resolver_utils::EnumType;

    use fondaco_chassis::testing::documented;

    use super::{Event, Refused, Status, TRANSITIONS};

    #[test]
    fn the_documented_table_is_this_one() {
        let row = |from: &str, event: Event, to: Status| {
            [from, event.as_str(), to.as_str(), event.published().name()].map(str::to_owned)
        };
        let first = [(Event::Drafted, Status::Draft), (Event::Placed, Status::Pending)];
        let first = first.into_iter().map(|(event, to)| row("–", event, to));
        let transitions = TRANSITIONS.iter();
        let transitions = transitions.map(|(from, event, to)| row(from.as_str(), *event, *to));
        let mut table: Vec<_> = first.chain(transitions).collect();
        table.sort();
        assert_eq!(documented("order"), table);
    }

    /// The whole table, states × events, written out: a change of the machine must change this too.
    #[test]
    fn every_state_answers_every_event() {
        use Event::{
            Fulfilled as Fulfil, PartlyRefunded, PaymentCaptured, PaymentDeclined, Placed,
            Refunded as Refund, StockLost,
        };
        use Status::{Cancelled, Confirmed, Draft, Failed, Fulfilled, Pending, Refunded};
        check(Draft, &[(Placed, Pending), (Event::Cancelled, Cancelled)]);
        check(
            Pending,
            &[
                (PaymentCaptured, Confirmed),
                (PaymentDeclined, Failed),
                (Event::Cancelled, Cancelled),
            ],
        );
        check(
            Confirmed,
            &[
                (Event::Cancelled, Cancelled),
                (StockLost, Cancelled),
                (Fulfil, Fulfilled),
                (PartlyRefunded, Confirmed),
                (Refund, Refunded),
            ],
        );
        check(Fulfilled, &[(PartlyRefunded, Fulfilled), (Refund, Refunded)]);
        for last in [Cancelled, Failed, Refunded] {
            check(last, &[]);
        }
    }

    fn check(status: Status, expected: &[(Event, Status)]) {
        for event in Event::items().iter().map(|item| item.value) {
            let next = expected.iter().find(|(on, _)| *on == event).map(|(_, to)| *to);
            assert_eq!(
                status.after(event),
                next.ok_or(Refused { status, event }),
                "{status} on {event:?}"
            );
        }
    }

    #[test]
    fn names_are_read_back() {
        for status in Status::items().iter().map(|item| item.value) {
            assert_eq!(status.as_str().parse(), Ok(status));
        }
        for event in Event::items().iter().map(|item| item.value) {
            assert_eq!(event.as_str().parse(), Ok(event));
        }
        assert_eq!(Event::PaymentCaptured.as_str(), "PAYMENT_CAPTURED");
        assert!("SHIPPED".parse::<Status>().is_err());
    }
}
