//! How often what may be tried, per account and per client address, counted in Redis once for every resolved field: a hundred aliases are a
//! hundred attempts. Accounts count by the address that was typed, whether or not it has an account.

use std::{
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use fondaco_chassis::{ApiError, Redis};
use redis::Script;
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// A password is tried.
    SignIn,
    /// An account is to be made.
    SignUp,
    /// A mail with a code is asked for.
    SendCode,
    /// A code is entered.
    EnterCode,
    /// A refresh token, or an answer of an outside provider, is presented.
    PresentToken,
}

/// So many attempts in so many seconds: all at once, then one at a time as the window moves on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// How many, at least 1.
    pub attempts: u32,
    /// In this time, at least 1.
    pub per_seconds: u32,
}

/// What happens while Redis cannot count.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WithoutRedis {
    /// Everything is allowed.
    Open,
    /// Nothing is: `TEMPORARILY_UNAVAILABLE`.
    Closed,
}

/// The rule of one action; what is absent has the default of docs/accounts.md, "Rate limits".
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RuleConfig {
    /// For each account, or address that might have one.
    pub per_account: Option<Limit>,
    /// For each client address (IPv6: each /64).
    pub per_address: Option<Limit>,
    /// While Redis is away.
    pub without_redis: Option<WithoutRedis>,
}

/// All rules.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RateLimitsConfig {
    /// `signIn`, and other places that take a password.
    pub sign_in: RuleConfig,
    /// `signUp`.
    pub sign_up: RuleConfig,
    /// `sendEmailVerification`, `requestPasswordReset`.
    pub send_code: RuleConfig,
    /// `verifyEmail`, `resetPassword`.
    pub enter_code: RuleConfig,
    /// `refreshToken`, `completeOidcSignIn`: by address only.
    pub present_token: RuleConfig,
}

impl Action {
    const fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::SignUp => "sign-up",
            Self::SendCode => "send-code",
            Self::EnterCode => "enter-code",
            Self::PresentToken => "present-token",
        }
    }

    const fn default_rule(self) -> Rule {
        let (account, address, without_redis) = match self {
            Self::SignIn => ((20, 900), (200, 900), WithoutRedis::Closed),
            Self::SignUp => ((5, 3600), (100, 3600), WithoutRedis::Open),
            Self::SendCode => ((5, 3600), (50, 3600), WithoutRedis::Closed),
            Self::EnterCode => ((20, 3600), (200, 3600), WithoutRedis::Closed),
            Self::PresentToken => ((600, 60), (600, 60), WithoutRedis::Open),
        };
        Rule {
            per_account: Limit::new(account.0, account.1),
            per_address: Limit::new(address.0, address.1),
            without_redis,
        }
    }
}

impl Limit {
    /// `attempts` in `per_seconds`.
    pub const fn new(attempts: u32, per_seconds: u32) -> Self {
        Self {
            attempts,
            per_seconds,
        }
    }

    /// Milliseconds one attempt stands for, and milliseconds of a whole burst.
    fn costs(self) -> (u64, u64) {
        let window = u64::from(self.per_seconds.max(1)) * 1000;
        let attempts = u64::from(self.attempts.max(1));
        let one = (window / attempts).max(1);
        (one, one * attempts)
    }
}

struct Rule {
    per_account: Limit,
    per_address: Limit,
    without_redis: WithoutRedis,
}

/// Counts attempts. Cheap to clone.
#[derive(Clone, Debug)]
pub struct RateLimits {
    redis: Redis,
    config: RateLimitsConfig,
    /// Everybody who tries a demonstration out calls from the same machine.
    spares_local_sign_ups: bool,
    script: Script,
}

impl RateLimits {
    /// Counters in `redis`; with `demo`, sign-ups from loopback addresses are not counted.
    pub fn new(redis: Redis, config: RateLimitsConfig, demo: bool) -> Self {
        Self {
            redis,
            config,
            spares_local_sign_ups: demo,
            script: Script::new(include_str!("gcra.lua")),
        }
    }

    /// Counts one attempt, or refuses it with [`ApiError::RateLimited`]. `account` is what tells accounts apart: an address as typed, or an id.
    pub async fn admit(
        &self,
        action: Action,
        account: Option<&str>,
        address: Option<IpAddr>,
    ) -> Result<(), ApiError> {
        let rule = self.rule(action);
        let spared = self.spares_local_sign_ups
            && action == Action::SignUp
            && address.is_some_and(|address| address.is_loopback());
        if let Some(address) = address.filter(|_| !spared) {
            let key = self.key(action, "address", &network(address));
            self.take(key, rule.per_address, rule.without_redis).await?;
        }
        if let Some(account) = account {
            let key = self.key(action, "account", account);
            self.take(key, rule.per_account, rule.without_redis).await?;
        }
        Ok(())
    }

    /// Forgets the attempts on an account: its owner has just proven to be its owner.
    pub async fn forgive(&self, action: Action, account: &str) {
        let key = self.key(action, "account", account);
        let mut connection = self.redis.connection();
        let forgotten: Result<(), _> = redis::cmd("DEL").arg(key).query_async(&mut connection).await;
        if let Err(error) = forgotten {
            tracing::warn!(error.cause = %error, "attempts could not be forgotten");
        }
    }

    async fn take(&self, key: String, limit: Limit, without_redis: WithoutRedis) -> Result<(), ApiError> {
        let (one, burst) = limit.costs();
        let mut connection = self.redis.connection();
        let counted = self
            .script
            .key(key)
            .arg(one)
            .arg(burst)
            .invoke_async::<u64>(&mut connection)
            .await;
        match counted {
            Ok(0) => Ok(()),
            Ok(wait) => Err(ApiError::RateLimited {
                retry_after: Duration::from_millis(wait),
            }),
            Err(error) if without_redis == WithoutRedis::Open => {
                tracing::warn!(error.cause = %error, "attempts are not counted: Redis does not answer");
                Ok(())
            }
            Err(error) => Err(ApiError::unavailable(error)),
        }
    }

    fn rule(&self, action: Action) -> Rule {
        let configured = match action {
            Action::SignIn => self.config.sign_in,
            Action::SignUp => self.config.sign_up,
            Action::SendCode => self.config.send_code,
            Action::EnterCode => self.config.enter_code,
            Action::PresentToken => self.config.present_token,
        };
        let default = action.default_rule();
        Rule {
            per_account: configured.per_account.unwrap_or(default.per_account),
            per_address: configured.per_address.unwrap_or(default.per_address),
            without_redis: configured.without_redis.unwrap_or(default.without_redis),
        }
    }

    /// Hashed, so that nobody reads addresses in Redis.
    fn key(&self, action: Action, kind: &str, who: &str) -> String {
        let hash = BASE64_URL_SAFE_NO_PAD.encode(&Sha256::digest(who.as_bytes())[..16]);
        self.redis
            .key(format_args!("auth:limit:{}:{kind}:{hash}", action.name()))
    }
}

/// One subscriber has a whole /64 of IPv6.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let prefix = u128::from(address) & !u128::from(u64::MAX);
            Ipv6Addr::from(prefix).to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_count_by_subscriber() {
        let check = |address: &str, expected: &str| {
            assert_eq!(network(address.parse().unwrap()), expected);
        };
        check("192.0.2.7", "192.0.2.7");
        check("::ffff:192.0.2.7", "192.0.2.7");
        check("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::");
        check("2001:db8:1:2:ffff::1", "2001:db8:1:2::");
    }

    #[test]
    fn a_burst_is_all_attempts_and_a_window_brings_them_back() {
        assert_eq!(Limit::new(20, 900).costs(), (45_000, 900_000));
        assert_eq!(Limit::new(0, 0).costs(), (1000, 1000));
        assert_eq!(Limit::new(3, 1).costs(), (333, 999));
    }
}
