//! How often one client may call, by the configured rules. Cost per request and rule: one script call to Redis, or one look-up in
//! memory where there is no Redis.

use std::net::IpAddr;
use std::time::Duration;

use crate::auth::Caller;
use crate::config::{Per, RateLimitRule, RateLimitsConfig, WhenUnreachable};
use crate::error::RequestError;
use crate::gcra::{Local, Rate};
use crate::redis::{Redis, RedisAway};

/// The configured limits.
pub struct RateLimits {
    rules: Vec<Rule>,
    redis: Option<Redis>,
    local: Local,
}

struct Rule {
    name: String,
    per: Per,
    rate: Rate,
    when_unreachable: WhenUnreachable,
}

impl RateLimits {
    /// Limits that all routers share through `redis`, or of this router alone.
    pub fn new(config: &RateLimitsConfig, redis: Option<Redis>) -> Self {
        Self {
            rules: config.rules.iter().map(Rule::new).collect(),
            redis: redis.filter(|_| !config.rules.is_empty()),
            local: Local::new(),
        }
    }

    /// Counts a request of which only the address is known yet.
    pub async fn check_address(&self, address: Option<IpAddr>) -> Result<(), RequestError> {
        for rule in self.rules.iter().filter(|rule| rule.per == Per::Address) {
            if let Some(address) = address {
                self.count(rule, &of_address(address)).await?;
            }
        }
        Ok(())
    }

    /// Counts a request whose caller is known.
    pub async fn check_caller(&self, caller: &Caller) -> Result<(), RequestError> {
        for rule in self.rules.iter().filter(|rule| rule.per != Per::Address) {
            let user = caller.token().map(|token| format!("user:{}", token.subject()));
            let client = match rule.per {
                Per::Client => user.or_else(|| caller.address().map(of_address)),
                Per::User | Per::Address => user,
            };
            if let Some(client) = client {
                self.count(rule, &client).await?;
            }
        }
        Ok(())
    }

    async fn count(&self, rule: &Rule, client: &str) -> Result<(), RequestError> {
        let name = format!("rate:{}:{client}", rule.name);
        let wait = match &self.redis {
            None => self.local.count(rule.rate, &name),
            Some(redis) => match rule.rate.count_in_redis(redis, &redis.key(name)).await {
                Ok(wait) => wait,
                Err(RedisAway) if rule.when_unreachable == WhenUnreachable::Accept => Duration::ZERO,
                Err(RedisAway) => return Err(RequestError::Unavailable),
            },
        };
        if wait.is_zero() {
            Ok(())
        } else {
            Err(RequestError::RateLimited { wait })
        }
    }
}

impl Rule {
    fn new(config: &RateLimitRule) -> Self {
        let interval = u64::from(config.seconds) * 1_000_000 / u64::from(config.requests);
        Self {
            name: config.name.clone(),
            per: config.per,
            rate: Rate {
                interval: interval.max(1),
                burst: u64::from(config.burst.unwrap_or(config.requests)),
            },
            when_unreachable: config.when_unreachable,
        }
    }
}

/// One household or server has a whole IPv6 network of 64 bits.
fn of_address(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => format!("address:{address}"),
        IpAddr::V6(address) => {
            let network = u128::from(address) >> 64;
            format!("address:{network:016x}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_network_are_one_client() {
        let key = |text: &str| of_address(text.parse().unwrap());
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:1"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        assert_ne!(key("10.0.0.1"), key("10.0.0.2"));
        assert_eq!(key("::ffff:10.0.0.1"), key("10.0.0.1"));
    }
}
