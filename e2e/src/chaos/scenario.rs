//! The faults, one a file. Each runs on a platform of its own and says what it found.

mod broker;
mod clock;
mod counters;
mod disk_full;
mod freeze;
mod journal;
mod kills;
mod provider;
mod repeats;

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
    /// Every mutation comes three times, in the middle of kills.
    Repeats,
    /// The payment provider loses replies and doubles webhooks.
    Provider,
    /// Redis forgets everything, or remembers what is not true any more.
    Counters,
    /// The broker is away, relay and consumers die, deliveries come three times.
    Broker,
    /// Redis, then Postgres, stands still.
    Freeze,
    /// The disks of Redis and Postgres are full.
    DiskFull,
    /// One clock after another is ten minutes wrong.
    Clock,
}

impl Scenario {
    /// All of them, in the order of the report.
    pub const ALL: [Self; 9] = [
        Self::Kills,
        Self::Journal,
        Self::Repeats,
        Self::Provider,
        Self::Counters,
        Self::Broker,
        Self::Freeze,
        Self::DiskFull,
        Self::Clock,
    ];

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kills => "kills",
            Self::Journal => "journal",
            Self::Repeats => "repeats",
            Self::Provider => "provider",
            Self::Counters => "counters",
            Self::Broker => "broker",
            Self::Freeze => "freeze",
            Self::DiskFull => "disk-full",
            Self::Clock => "clock",
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
            Self::Repeats => repeats::run(plan, tell).await,
            Self::Provider => provider::run(plan, tell).await,
            Self::Counters => counters::run(plan, tell).await,
            Self::Broker => broker::run(plan, tell).await,
            Self::Freeze => freeze::run(plan, tell).await,
            Self::DiskFull => disk_full::run(plan, tell).await,
            Self::Clock => clock::run(plan, tell).await,
        }
    }
}
