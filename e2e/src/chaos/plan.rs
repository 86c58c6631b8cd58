//! How much is to happen. The same seed asks for the same faults; when they fall into a purchase is up to the machine.

use std::time::Duration;

use serde_json::{Value, json};

/// The size of a scenario. Each uses what concerns it.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What is random follows from it.
    pub seed: u64,
    /// So many sales, one after another.
    pub sales: usize,
    /// So many people press the button at once in each.
    pub buyers: usize,
    /// So many units are for sale in each.
    pub units: u64,
    /// A process is killed every so often, on average.
    pub every: Duration,
    /// So many purchases are acknowledged before everything is killed.
    pub acknowledgements: usize,
    /// So long a server is away, or stands still.
    pub outage: Duration,
    /// So many units are held while counters are rebuilt.
    pub holds: u64,
    /// So many clocks are set wrong.
    pub clocks: usize,
}

impl Plan {
    /// For every run of the tests.
    pub fn short(seed: u64) -> Self {
        Self {
            seed,
            sales: 2,
            buyers: 60,
            units: 20,
            every: Duration::from_millis(500),
            acknowledgements: 120,
            outage: Duration::from_secs(4),
            holds: 2_000,
            clocks: 5,
        }
    }

    /// As `./dev chaos` does it.
    pub fn long(seed: u64) -> Self {
        Self {
            seed,
            sales: 20,
            buyers: 500,
            units: 100,
            every: Duration::from_millis(500),
            acknowledgements: 5_000,
            outage: Duration::from_secs(30),
            holds: 100_000,
            clocks: 14,
        }
    }
}

/// Orders that are settled soon, and a sweeper that looks often.
pub fn settle_soon(config: &mut Value) {
    for (key, value) in [
        ("hold_seconds", 20),
        ("settle_after_ms", 2_000),
        ("settle_again_ms", 500),
        ("sweep_interval_ms", 250),
        ("lease_ms", 3_000),
    ] {
        config["order"][key] = json!(value);
    }
}

/// Numbers that follow from a seed (SplitMix64).
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// The numbers of `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (bits ^ (bits >> 31)) % bound
    }
}
