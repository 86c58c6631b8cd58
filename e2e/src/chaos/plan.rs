//! What is to happen. The same seed asks for the same kills; when they fall into a purchase is up to the machine.

use std::time::Duration;

use serde_json::{Value, json};

/// A run of sales.
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
}

impl Plan {
    /// Holds that lapse soon, and a sweeper that looks often.
    pub fn configure(&self, config: &mut Value) {
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
}

/// The idempotency key that every buyer uses in a sale.
pub fn key(sale: usize) -> String {
    format!("sale-{sale}")
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
