//! The faults, one a file. Each runs on a platform of its own and says what it found.

mod broker;
mod counters;
mod freeze;
mod journal;
mod kills;

use super::finding::Finding;
use super::plan::Plan;
use crate::program::ProgramError;

/// A fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// Processes are killed while they sell.
    Kills,
    /// Everything is killed after many acknowledgements.
    Journal,
    /// Redis forgets everything, or remembers what is not true any more.
    Counters,
    /// The broker is away, relay and consumers die, deliveries come three times.
    Broker,
    /// Redis, then Postgres, stands still.
    Freeze,
}

impl Scenario {
    /// All of them, in the order of the report.
    pub const ALL: [Self; 5] = [
        Self::Kills,
        Self::Journal,
        Self::Counters,
        Self::Broker,
        Self::Freeze,
    ];

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kills => "kills",
            Self::Journal => "journal",
            Self::Counters => "counters",
            Self::Broker => "broker",
            Self::Freeze => "freeze",
        }
    }

    /// By its name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scenario| scenario.name() == name)
    }

    /// Has it happen; `tell` hears how far it is.
    pub async fn run(self, plan: &Plan, tell: &dyn Fn(&str)) -> Result<Finding, ProgramError> {
        match self {
            Self::Kills => kills::run(plan, tell).await,
            Self::Journal => journal::run(plan, tell).await,
            Self::Counters => counters::run(plan, tell).await,
            Self::Broker => broker::run(plan, tell).await,
            Self::Freeze => freeze::run(plan, tell).await,
        }
    }
}
