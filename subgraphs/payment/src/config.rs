//! The payment service's part of the configuration.

use std::net::{Ipv4Addr, SocketAddr};

use serde::Deserialize;

/// Section `payment` of the configuration file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PaymentConfig {
    /// Where to listen when run on its own.
    pub listen: SocketAddr,
    /// Who takes the money.
    pub provider: ProviderName,
    /// How long to wait for the provider before a charge's outcome counts as unknown.
    pub provider_timeout_ms: u64,
}

/// The payment providers there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProviderName {
    /// No money: test tokens decide.
    Sandbox,
}

impl Default for PaymentConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 4005)),
            provider: ProviderName::Sandbox,
            provider_timeout_ms: 5_000,
        }
    }
}
