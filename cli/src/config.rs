//! The configuration file as a whole: what the parts share, and one section a part.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use fondaco_auth::config::AuthConfig;
use fondaco_chassis::Runtime;
use fondaco_chassis::config::{ConfigError, Environment, IdentityConfig};
use fondaco_chassis::telemetry::{self, LogFormat};
use fondaco_inventory::config::InventoryConfig;
use fondaco_order::config::OrderConfig;
use fondaco_payment::config::PaymentConfig;
use fondaco_product::config::ProductConfig;
use fondaco_router::{IdentitySecrets, RedisSetup, RouterConfig};
use serde::Deserialize;
use uuid::Uuid;

use crate::error::CliError;

/// `fondaco.yaml`. Every key has a default or an environment variable, so that no file is needed.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The Postgres server.
    database_url: Option<String>,
    /// A service's database is this followed by the service's name.
    database_prefix: Option<String>,
    /// The Redis server.
    redis_url: Option<String>,
    /// Every Redis key begins with this.
    redis_prefix: Option<String>,
    /// How long a starting service waits for Postgres and Redis.
    start_patience_seconds: Option<u64>,
    /// The secret that router and subgraphs share.
    identity: IdentityConfig,
    /// Where services find each other, by name.
    peers: BTreeMap<String, String>,
    /// The router.
    pub router: RouterConfig,
    /// The auth service.
    pub auth: AuthConfig,
    /// The product service.
    pub product: ProductConfig,
    /// The inventory service.
    pub inventory: InventoryConfig,
    /// The order service.
    pub order: OrderConfig,
    /// The payment service.
    pub payment: PaymentConfig,
}

/// File and environment together.
#[derive(Debug)]
pub struct Settings {
    /// The file, or its defaults.
    pub config: Config,
    /// What goes before it.
    pub environment: Environment,
}

impl Settings {
    /// Reads both and starts logging with `default_filter` unless `FONDACO_LOG` says otherwise.
    pub fn load(file: Option<&Path>, default_filter: &str) -> Result<Self, CliError> {
        let environment = Environment::read()?;
        let filter = environment.log.as_deref().unwrap_or(default_filter);
        telemetry::init(filter, environment.log_format.unwrap_or(LogFormat::Text))?;
        let config: Config = file
            .map(fondaco_chassis::config::read)
            .transpose()?
            .unwrap_or_default();
        config
            .router
            .validate()
            .map_err(fondaco_router::BuildError::from)?;
        Ok(Self { config, environment })
    }

    /// URL of the Postgres server, if one was given.
    pub fn database_url(&self) -> Option<&str> {
        self.environment
            .database_url
            .as_deref()
            .or(self.config.database_url.as_deref())
    }

    /// URL of the Redis server, if one was given.
    pub fn redis_url(&self) -> Option<&str> {
        self.environment
            .redis_url
            .as_deref()
            .or(self.config.redis_url.as_deref())
    }

    /// The shared secret, if one was given.
    pub fn identity_secret(&self) -> Option<&str> {
        self.environment
            .identity_secret
            .as_deref()
            .or(self.config.identity.secret.as_deref())
    }

    /// Under what the router signs who calls, if anything; `shared` goes before the configuration.
    pub fn router_identity(&self, shared: Option<&str>) -> IdentitySecrets {
        IdentitySecrets {
            shared: shared.or(self.identity_secret()).map(str::to_owned),
            of_subgraphs: self.config.identity.secrets.clone(),
        }
    }

    /// The Redis that the router shares with the platform.
    pub fn router_redis(&self, redis_url: &str) -> RedisSetup {
        let prefix = self.config.redis_prefix.as_deref();
        RedisSetup {
            url: redis_url.to_owned(),
            prefix: prefix
                .unwrap_or(fondaco_chassis::runtime::REDIS_PREFIX)
                .to_owned(),
        }
    }

    /// What a service is started with, on the given servers.
    pub fn runtime(&self, database_url: &str, redis_url: &str, secret: &str) -> Result<Runtime, ConfigError> {
        let mut runtime = Runtime::new(database_url, redis_url, secret)?;
        runtime.identity = runtime.identity.with_secrets(&self.config.identity.secrets)?;
        runtime.require_identity = self.config.identity.require;
        if let Some(prefix) = &self.config.database_prefix {
            runtime.database_prefix.clone_from(prefix);
        }
        if let Some(prefix) = &self.config.redis_prefix {
            runtime.redis_prefix.clone_from(prefix);
        }
        if let Some(seconds) = self.config.start_patience_seconds {
            runtime.patience = Duration::from_secs(seconds);
        }
        Ok(runtime)
    }

    /// [`Settings::runtime`] for a command that reads what services have stored and calls nobody.
    pub fn runtime_to_read(&self) -> Result<Runtime, ConfigError> {
        let required = |value: Option<&str>, key, variable| {
            value
                .map(str::to_owned)
                .ok_or(ConfigError::Missing { key, variable })
        };
        let database_url = required(self.database_url(), "database_url", "DATABASE_URL")?;
        let redis_url = required(self.redis_url(), "redis_url", "REDIS_URL")?;
        self.runtime(
            &database_url,
            &redis_url,
            &format!("{}{}", Uuid::new_v4(), Uuid::new_v4()),
        )
    }

    /// [`Settings::runtime`] for a service on its own: everything must be configured, peers answer over HTTP.
    pub fn runtime_of_one_service(&self) -> Result<Runtime, ConfigError> {
        let required = |value: Option<&str>, key, variable| {
            value
                .map(str::to_owned)
                .ok_or(ConfigError::Missing { key, variable })
        };
        let database_url = required(self.database_url(), "database_url", "DATABASE_URL")?;
        let redis_url = required(self.redis_url(), "redis_url", "REDIS_URL")?;
        // Where subgraphs have secrets of their own there may be no shared one. Then calls to those without are signed under one
        // that they do not believe.
        let of_one = self.config.identity.secrets.values().next();
        let secret = required(
            self.identity_secret().or(of_one.map(String::as_str)),
            "identity.secret",
            "FONDACO_IDENTITY_SECRET",
        )?;
        let runtime = self.runtime(&database_url, &redis_url, &secret)?;
        for (name, port) in [
            ("auth", 4001),
            ("product", 4002),
            ("inventory", 4003),
            ("order", 4004),
            ("payment", 4005),
        ] {
            let url = self.config.peers.get(name).cloned();
            runtime
                .peers
                .insert_http(name, url.unwrap_or(format!("http://127.0.0.1:{port}/graphql")));
        }
        Ok(runtime)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_defaults_are_the_defaults() {
        let page = include_str!("../../ARCHITECTURE.md");
        let block = page.split("```yaml\n").nth(1).unwrap();
        let block = block.split("```").next().unwrap();
        let documented: Config = fondaco_chassis::config::parse(block, "ARCHITECTURE.md").unwrap();
        let same = |documented: &dyn std::fmt::Debug, default: &dyn std::fmt::Debug| {
            assert_eq!(format!("{documented:#?}"), format!("{default:#?}"));
        };
        let default = Config::default();
        same(&documented.router, &default.router);
        same(&documented.auth, &default.auth);
        same(&documented.product, &default.product);
        same(&documented.inventory, &default.inventory);
        same(&documented.order, &default.order);
        same(&documented.payment, &default.payment);
        same(&documented.identity, &default.identity);
        same(&documented.peers, &default.peers);
        let runtime = Runtime::new("", "", &"s".repeat(32)).unwrap();
        assert_eq!(documented.database_prefix, Some(runtime.database_prefix));
        assert_eq!(documented.redis_prefix, Some(runtime.redis_prefix));
        assert_eq!(
            documented.start_patience_seconds,
            Some(runtime.patience.as_secs())
        );
        assert_eq!((documented.database_url, documented.redis_url), (None, None));
    }
}
