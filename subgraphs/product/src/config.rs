//! The `product` section of the configuration file.

use std::net::{Ipv4Addr, SocketAddr};

use serde::Deserialize;

/// How the product service is run.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProductConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Load the demo catalogue at start; products that exist already are left alone.
    pub demo: bool,
    /// How long what was read of the catalogue is kept in memory although Postgres told of no change; 0 keeps nothing.
    pub keep_seconds: u32,
}

impl Default for ProductConfig {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 4002).into(),
            demo: false,
            keep_seconds: 60,
        }
    }
}
