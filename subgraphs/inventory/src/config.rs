//! The `inventory` section of the configuration file.

use std::net::{Ipv4Addr, SocketAddr};

use serde::Deserialize;

/// How the inventory service is run.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InventoryConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Give the demo catalogue its stock at start; SKUs that have stock already are left alone.
    pub demo: bool,
    /// How often expired holds are looked for, in milliseconds.
    pub reaper_interval_ms: u64,
}

impl Default for InventoryConfig {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 4003).into(),
            demo: false,
            reaper_interval_ms: 500,
        }
    }
}
