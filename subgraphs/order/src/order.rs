//! The order's state machine: pure, with its transition table.
//!
//! | from      | event             | to        | published      |
//! |-----------|-------------------|-----------|----------------|
//! | PENDING   | payment captured  | CONFIRMED | OrderConfirmed |
//! | PENDING   | payment declined  | FAILED    | OrderFailed    |
//! | PENDING   | cancelled         | CANCELLED | OrderCancelled |
//! | CONFIRMED | cancelled         | CANCELLED | OrderCancelled |
//!
//! Everything else is refused. The store makes each transition by an update that is conditional on the state and version read, so two
//! actors that decide at once cannot both succeed: the later one reads again and finds the table refusing it.

use std::str::FromStr;

use async_graphql::Enum;
use thiserror::Error;

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum)]
#[graphql(name = "OrderStatus")]
pub enum Status {
    /// Stock is held; the payment's outcome is not known yet.
    Pending,
    /// Paid.
    Confirmed,
    /// Called off by the customer; anything paid is refunded.
    Cancelled,
    /// The payment was declined or never happened; the stock went back.
    Failed,
}

/// What can happen to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The payment service has the money.
    PaymentCaptured,
    /// The payment service has not, and never will have, the money.
    PaymentDeclined,
    /// The customer called the order off.
    Cancelled,
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
    (Status::Pending, Event::PaymentCaptured, Status::Confirmed),
    (Status::Pending, Event::PaymentDeclined, Status::Failed),
    (Status::Pending, Event::Cancelled, Status::Cancelled),
    (Status::Confirmed, Event::Cancelled, Status::Cancelled),
];

impl Status {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Confirmed, Self::Cancelled, Self::Failed];

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
        match self {
            Self::Pending => "PENDING",
            Self::Confirmed => "CONFIRMED",
            Self::Cancelled => "CANCELLED",
            Self::Failed => "FAILED",
        }
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
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == name)
            .ok_or_else(|| format!("unknown order status {name:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, Refused, Status};

    /// The whole table, states × events, written out: a change of the machine must change this too.
    #[test]
    fn every_state_answers_every_event() {
        use Event::{Cancelled as Cancel, PaymentCaptured as Captured, PaymentDeclined as Declined};
        use Status::{Cancelled, Confirmed, Failed, Pending};
        check(
            Pending,
            [
                (Captured, Some(Confirmed)),
                (Declined, Some(Failed)),
                (Cancel, Some(Cancelled)),
            ],
        );
        check(
            Confirmed,
            [(Captured, None), (Declined, None), (Cancel, Some(Cancelled))],
        );
        check(Cancelled, [(Captured, None), (Declined, None), (Cancel, None)]);
        check(Failed, [(Captured, None), (Declined, None), (Cancel, None)]);
    }

    fn check(status: Status, expected: [(Event, Option<Status>); 3]) {
        for (event, next) in expected {
            assert_eq!(
                status.after(event),
                next.ok_or(Refused { status, event }),
                "{status} on {event:?}"
            );
        }
    }

    #[test]
    fn names_are_read_back() {
        for status in Status::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
        }
        assert!("SHIPPED".parse::<Status>().is_err());
    }
}
