//! The payment's state machine: pure, with its transition table.
//!
//! | from                                                    | event                 | to                    |
//! |---------------------------------------------------------|-----------------------|-----------------------|
//! | –                                                       | recorded              | PENDING               |
//! | –                                                       | called off            | CALLED_OFF            |
//! | PENDING, UNKNOWN                                        | no answer             | UNKNOWN               |
//! | PENDING, UNKNOWN                                        | confirmation required | REQUIRES_CONFIRMATION |
//! | PENDING, UNKNOWN, REQUIRES_CONFIRMATION                 | authorized            | AUTHORIZED            |
//! | PENDING, UNKNOWN, REQUIRES_CONFIRMATION, AUTHORIZED     | captured              | CAPTURED              |
//! | PENDING, UNKNOWN, REQUIRES_CONFIRMATION, AUTHORIZED     | declined              | DECLINED              |
//! | REQUIRES_CONFIRMATION, AUTHORIZED                       | voided                | VOIDED                |
//! | CAPTURED, PARTIALLY_REFUNDED                            | refunded in part      | PARTIALLY_REFUNDED    |
//! | CAPTURED, PARTIALLY_REFUNDED                            | refunded              | REFUNDED              |
//!
//! Everything else is refused. The store makes each transition by an update that is conditional on the states the table allows it from.

use std::str::FromStr;

/// Where a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Recorded; the provider is being asked, or was when the process died.
    Pending,
    /// The provider did not answer in time.
    Unknown,
    /// The customer must confirm it at the provider.
    RequiresConfirmation,
    /// The money is set aside; it is not taken yet.
    Authorized,
    /// The money is taken.
    Captured,
    /// The provider refused.
    Declined,
    /// What was set aside, or waited for the customer, was let go.
    Voided,
    /// Some of the money was given back.
    PartiallyRefunded,
    /// All of the money was given back.
    Refunded,
    /// The order was given up before anybody asked for a charge.
    CalledOff,
}

/// What can happen to a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// The provider did not answer.
    NoAnswer,
    /// The provider waits for the customer.
    ConfirmationRequired,
    /// The provider has set the money aside.
    Authorized,
    /// The provider has taken the money.
    Captured,
    /// The provider refused.
    Declined,
    /// The provider has let the money go.
    Voided,
    /// The provider has given some of it back.
    PartiallyRefunded,
    /// The provider has given the last of it back.
    Refunded,
}

use Status::{
    Authorized, CalledOff, Captured, Declined, PartiallyRefunded, Pending, Refunded, RequiresConfirmation,
    Unknown, Voided,
};

/// Every state with its name.
const STATES: [(Status, &str); 10] = [
    (Pending, "PENDING"),
    (Unknown, "UNKNOWN"),
    (RequiresConfirmation, "REQUIRES_CONFIRMATION"),
    (Authorized, "AUTHORIZED"),
    (Captured, "CAPTURED"),
    (Declined, "DECLINED"),
    (Voided, "VOIDED"),
    (PartiallyRefunded, "PARTIALLY_REFUNDED"),
    (Refunded, "REFUNDED"),
    (CalledOff, "CALLED_OFF"),
];

const TRANSITIONS: &[(&[Status], Event, Status)] = &[
    (&[Pending, Unknown], Event::NoAnswer, Unknown),
    (
        &[Pending, Unknown],
        Event::ConfirmationRequired,
        RequiresConfirmation,
    ),
    (
        &[Pending, Unknown, RequiresConfirmation],
        Event::Authorized,
        Authorized,
    ),
    (
        &[Pending, Unknown, RequiresConfirmation, Authorized],
        Event::Captured,
        Captured,
    ),
    (
        &[Pending, Unknown, RequiresConfirmation, Authorized],
        Event::Declined,
        Declined,
    ),
    (&[RequiresConfirmation, Authorized], Event::Voided, Voided),
    (
        &[Captured, PartiallyRefunded],
        Event::PartiallyRefunded,
        PartiallyRefunded,
    ),
    (&[Captured, PartiallyRefunded], Event::Refunded, Refunded),
];

impl Event {
    /// The states in which it can happen.
    pub fn possible_in(self) -> &'static [Status] {
        self.row().0
    }

    /// The state it leads to.
    pub fn leads_to(self) -> Status {
        self.row().2
    }

    fn row(self) -> &'static (&'static [Status], Self, Status) {
        let row = TRANSITIONS.iter().find(|(_, event, _)| *event == self);
        row.expect("the table has a row for every event")
    }
}

impl Status {
    /// The name as stored and as shown to clients.
    pub fn as_str(self) -> &'static str {
        let state = STATES.iter().find(|(status, _)| *status == self);
        state.expect("the table has every state").1
    }

    /// The provider's answer is not known.
    pub fn is_open(self) -> bool {
        matches!(self, Pending | Unknown)
    }

    /// Money was taken, and may have been given back.
    pub fn was_captured(self) -> bool {
        matches!(self, Captured | PartiallyRefunded | Refunded)
    }
}

impl FromStr for Status {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let state = STATES.iter().find(|(_, known)| *known == name);
        state
            .map(|(status, _)| *status)
            .ok_or_else(|| format!("unknown payment status {name:?}"))
    }
}

#[cfg(test)]
mod tests {
    use fondaco_chassis::testing::documented;

    use super::{Event, STATES, Status, TRANSITIONS};

    const NAMES: [(Event, &str); 8] = [
        (Event::NoAnswer, "no answer"),
        (Event::ConfirmationRequired, "confirmation required"),
        (Event::Authorized, "authorized"),
        (Event::Captured, "captured"),
        (Event::Declined, "declined"),
        (Event::Voided, "voided"),
        (Event::PartiallyRefunded, "refunded in part"),
        (Event::Refunded, "refunded"),
    ];

    #[test]
    fn the_documented_table_is_this_one() {
        let mut table: Vec<_> = [("recorded", Status::Pending), ("called off", Status::CalledOff)]
            .map(|(event, to)| ["–", event, to.as_str()].map(str::to_owned))
            .into();
        for (states, event, to) in TRANSITIONS {
            let (_, name) = NAMES.iter().find(|(named, _)| named == event).unwrap();
            let rows = states.iter().map(|from| [from.as_str(), name, to.as_str()]);
            table.extend(rows.map(|row| row.map(str::to_owned)));
        }
        table.sort();
        assert_eq!(documented("payment"), table);
    }

    /// The whole table, states × events, written out: a change of the machine must change this too.
    #[test]
    fn every_state_answers_every_event() {
        use Event::{
            Authorized, Captured, ConfirmationRequired, Declined, NoAnswer, PartiallyRefunded, Refunded,
            Voided,
        };
        for status in [Status::Pending, Status::Unknown] {
            check(
                status,
                &[NoAnswer, ConfirmationRequired, Authorized, Captured, Declined],
            );
        }
        check(
            Status::RequiresConfirmation,
            &[Authorized, Captured, Declined, Voided],
        );
        check(Status::Authorized, &[Captured, Declined, Voided]);
        for status in [Status::Captured, Status::PartiallyRefunded] {
            check(status, &[PartiallyRefunded, Refunded]);
        }
        for status in [
            Status::Declined,
            Status::Voided,
            Status::Refunded,
            Status::CalledOff,
        ] {
            check(status, &[]);
        }
    }

    fn check(status: Status, possible: &[Event]) {
        let events = [
            (Event::NoAnswer, Status::Unknown),
            (Event::ConfirmationRequired, Status::RequiresConfirmation),
            (Event::Authorized, Status::Authorized),
            (Event::Captured, Status::Captured),
            (Event::Declined, Status::Declined),
            (Event::Voided, Status::Voided),
            (Event::PartiallyRefunded, Status::PartiallyRefunded),
            (Event::Refunded, Status::Refunded),
        ];
        for (event, to) in events {
            assert_eq!(
                event.possible_in().contains(&status),
                possible.contains(&event),
                "{status:?} on {event:?}"
            );
            assert_eq!(event.leads_to(), to);
        }
    }

    #[test]
    fn names_are_read_back() {
        for (status, name) in STATES {
            assert_eq!((name.parse(), status.as_str()), (Ok(status), name));
        }
        assert!("PAID".parse::<Status>().is_err());
    }
}
