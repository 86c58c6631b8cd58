//! The payment service's part of the configuration.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use serde::Deserialize;

/// Section `payment` of the configuration file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PaymentConfig {
    /// Where to listen when run on its own.
    pub listen: SocketAddr,
    /// Who takes the money.
    pub provider: ProviderName,
    /// The account, where the provider is `stripe`.
    pub stripe: StripeConfig,
    /// How long to wait for the provider before a charge's outcome counts as unknown.
    pub provider_timeout_ms: u64,
}

/// An account at Stripe.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StripeConfig {
    /// Where its interface is.
    pub url: String,
    /// The key that signs us in; required.
    pub secret_key: Option<String>,
    /// The secret that signs webhooks; without it none are taken.
    pub webhook_secret: Option<String>,
}

impl Default for StripeConfig {
    fn default() -> Self {
        Self {
            url: "https://api.stripe.com".to_owned(),
            secret_key: None,
            webhook_secret: None,
        }
    }
}

impl std::fmt::Debug for StripeConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StripeConfig")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// The payment providers there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProviderName {
    /// No money: test tokens decide.
    Sandbox,
    /// Stripe, or what answers like it.
    Stripe,
}

impl PaymentConfig {
    pub(crate) fn patience(&self) -> Duration {
        Duration::from_millis(self.provider_timeout_ms)
    }
}

impl Default for PaymentConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 4005)),
            provider: ProviderName::Sandbox,
            stripe: StripeConfig::default(),
            provider_timeout_ms: 5_000,
        }
    }
}
