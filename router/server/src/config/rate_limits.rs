//! `router.rate_limits`: how often one client may call.

use serde::Deserialize;

use super::ConfigError;
use super::authentication::WhenUnreachable;

/// Limits on the requests of one client. Shared by all routers through Redis where there is one, else counted by each router.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RateLimitsConfig {
    /// The limits; a request must keep within all.
    pub rules: Vec<RateLimitRule>,
}

/// One limit, by the generic cell rate algorithm: requests come evenly spaced on average, with room for a burst.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimitRule {
    /// Name in messages and keys.
    pub name: String,
    /// What counts as one client.
    pub per: Per,
    /// Requests allowed …
    pub requests: u32,
    /// … in this many seconds.
    pub seconds: u32,
    /// Requests that may come at once after a quiet time; as many as `requests` unless set.
    #[serde(default)]
    pub burst: Option<u32>,
    /// What happens while Redis is away.
    #[serde(default)]
    pub when_unreachable: WhenUnreachable,
}

/// What counts as one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Per {
    /// The network address; of IPv6 the first 64 bits. Checked before anything of the request is read.
    Address,
    /// The signed-in user; no limit on others.
    User,
    /// The signed-in user, else the network address.
    Client,
}

impl RateLimitsConfig {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        for (index, rule) in self.rules.iter().enumerate() {
            let key = || format!("rate_limits.rules.{}", rule.name);
            if rule.requests == 0 || rule.seconds == 0 || rule.burst == Some(0) {
                return Err(ConfigError::value(
                    key(),
                    "requests, seconds and burst must be more than 0",
                ));
            }
            if self.rules[..index].iter().any(|other| other.name == rule.name) {
                return Err(ConfigError::value(key(), "the name is used twice"));
            }
        }
        Ok(())
    }
}
