//! The order service's part of the configuration.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use serde::Deserialize;

/// Section `order` of the configuration file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OrderConfig {
    /// Where to listen when run on its own.
    pub listen: SocketAddr,
    /// How long whoever works on an idempotency key has it for themselves; longer than all deadlines of a purchase together.
    pub lease_ms: u64,
    /// How long inventory holds the stock of a purchase whose payment is not settled.
    pub hold_seconds: u32,
    /// How long a read of the catalogue counts as fresh: purchases within it share one call to product.
    pub catalogue_freshness_ms: u64,
    /// How long an order that was read is kept in Redis; 0: not at all.
    pub cache_seconds: u32,
    /// When the sweeper looks at an order that is still PENDING, counted from its creation.
    pub settle_after_ms: u64,
    /// How long the sweeper waits before it looks at the same order again.
    pub settle_again_ms: u64,
    /// How often the sweeper looks for orders to settle.
    pub sweep_interval_ms: u64,
}

impl Default for OrderConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 4004)),
            lease_ms: 20_000,
            hold_seconds: 300,
            catalogue_freshness_ms: 100,
            cache_seconds: 60,
            settle_after_ms: 20_000,
            settle_again_ms: 2_000,
            sweep_interval_ms: 1_000,
        }
    }
}

impl OrderConfig {
    pub(crate) fn lease(&self) -> Duration {
        Duration::from_millis(self.lease_ms)
    }

    pub(crate) fn catalogue_freshness(&self) -> Duration {
        Duration::from_millis(self.catalogue_freshness_ms)
    }

    pub(crate) fn cache(&self) -> Duration {
        Duration::from_secs(self.cache_seconds.into())
    }

    pub(crate) fn settle_after(&self) -> Duration {
        Duration::from_millis(self.settle_after_ms)
    }

    pub(crate) fn settle_again(&self) -> Duration {
        Duration::from_millis(self.settle_again_ms)
    }

    pub(crate) fn sweep_interval(&self) -> Duration {
        Duration::from_millis(self.sweep_interval_ms)
    }
}
