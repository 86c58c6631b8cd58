//! The saga's decisions about an order that is placed: pure. From where the order stands and what was learnt follows what to do next.
//!
//! | learnt                               | then                                                                                  |
//! |--------------------------------------|---------------------------------------------------------------------------------------|
//! | captured, the hold is firm           | CONFIRMED; inventory follows by the event                                             |
//! | captured, near or after its end      | have inventory confirm the sale first                                                 |
//! | … which it did                       | CONFIRMED                                                                             |
//! | … which it could not                 | FAILED, sold out; then the money goes back                                            |
//! | declined                             | FAILED                                                                                |
//! | second step awaited                  | look again when the hold lapses; then FAILED, and the money is let go                 |
//! | payment never heard of it            | FAILED; then payment is told, which declines the charge should it still arrive        |
//! | no answer                            | look again: nothing is assumed                                                        |
//!
//! The status changes first, by an update that only one can win, and money moves back after it: whoever still believes that the order
//! will be confirmed finds it FAILED.
//!
//! [`Settlement`](crate::settlement::Settlement) carries the decisions out.

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    answer::{NOT_CHARGED, NOT_COMPLETED, SOLD_OUT},
    peers::payment::Charge,
};

/// A hold this close to its end counts as lapsed: the confirmation must still reach inventory.
pub const MARGIN: TimeDelta = TimeDelta::seconds(5);

/// What was learnt about a PENDING order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Learnt {
    /// Where its payment stands.
    Charge(Charge),
    /// Nobody asked payment for a charge yet.
    NeverCharged,
    /// Whether inventory turned its hold into a sale.
    Sale(bool),
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing is decided: look again after a pause.
    LookAgain,
    /// Nothing is decided: look again when the hold lapses.
    LookAtLapse,
    /// Have inventory turn the hold into a sale, and decide again.
    ConfirmSale,
    /// The order is CONFIRMED.
    Confirm,
    /// The order is FAILED.
    Fail {
        /// Why.
        code: String,
        /// Afterwards payment must keep no money for it.
        pay_back: bool,
    },
}

/// Decides about a PENDING order whose hold lapses at `held_until`.
pub fn decide(held_until: Option<DateTime<Utc>>, learnt: &Learnt, now: DateTime<Utc>) -> Decision {
    let lapses_within = |margin| held_until.is_none_or(|until| now + margin >= until);
    match learnt {
        Learnt::Charge(Charge::Unknown) => Decision::LookAgain,
        Learnt::Charge(Charge::Authorized | Charge::ConfirmationRequired) => {
            if lapses_within(TimeDelta::zero()) {
                give_up(NOT_COMPLETED)
            } else {
                Decision::LookAtLapse
            }
        }
        Learnt::Charge(Charge::Captured) if lapses_within(MARGIN) => Decision::ConfirmSale,
        Learnt::Charge(Charge::Captured) | Learnt::Sale(true) => Decision::Confirm,
        Learnt::Charge(Charge::Declined(code)) => Decision::Fail {
            code: code.clone(),
            pay_back: false,
        },
        Learnt::NeverCharged => give_up(NOT_CHARGED),
        Learnt::Sale(false) => give_up(SOLD_OUT),
    }
}

fn give_up(code: &str) -> Decision {
    Decision::Fail {
        code: code.to_owned(),
        pay_back: true,
    }
}
