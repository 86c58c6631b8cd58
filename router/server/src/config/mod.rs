//! The router's configuration: the `router` section of the file, complete without one.

mod authentication;
mod authorization;
mod headers;
mod operation_log;
mod rate_limits;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

pub use authentication::{
    AuthenticationConfig, ClaimsConfig, HeaderSource, IssuerConfig, RevocationConfig, SameSite,
    SessionCookieConfig, TokenSource, WhenUnreachable,
};
pub use authorization::{
    AuthorizationConfig, AuthorizationMode, CoprocessorConfig, PoliciesConfig, PolicyCondition,
};
pub use headers::{HeaderRule, HeadersConfig, InsertRule, PropagateRule};
pub use operation_log::OperationLogConfig;
pub use rate_limits::{Per, RateLimitRule, RateLimitsConfig};

/// Everything a person may set about the router.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RouterConfig {
    /// Address to listen on.
    pub listen: SocketAddr,
    /// Proxies before the router that append to `x-forwarded-for`. Without any, a client's address is that of its connection, and
    /// the header is not believed.
    pub trusted_proxies: usize,
    /// Supergraph file; the command line's `--supergraph` goes before it.
    pub supergraph: Option<PathBuf>,
    /// Schema registry whose latest supergraph is served instead: a folder or a `postgres://` URL; `--registry` goes before it.
    pub registry: Option<String>,
    /// Watching the supergraph file, or the registry, for changes.
    pub reload: ReloadConfig,
    /// Addresses of subgraphs that differ from the supergraph's routing URLs, by subgraph name.
    pub subgraph_urls: BTreeMap<String, String>,
    /// Largest answer accepted from a subgraph, in bytes.
    pub max_subgraph_response_bytes: usize,
    /// Whether clients see a general message instead of what a subgraph's errors say.
    pub mask_subgraph_errors: bool,
    /// Time limits.
    pub timeouts: TimeoutsConfig,
    /// Limits on requests.
    pub limits: LimitsConfig,
    /// Whether `__schema` and `__type` may be asked for.
    pub introspection: bool,
    /// The GraphiQL page.
    pub playground: PlaygroundConfig,
    /// Which sites' pages may call the router.
    pub cors: CorsConfig,
    /// Headers of which one must be present where a POST has a content type that browsers send without asking first.
    pub csrf_headers: Vec<String>,
    /// Headers passed on to subgraphs.
    pub headers: HeadersConfig,
    /// The log of operations.
    pub operation_log: OperationLogConfig,
    /// The cache of parsed, validated and planned operations.
    pub plan_cache: PlanCacheConfig,
    /// When progressive `@override`s are in force, by label. Labels like `percent(5)` need no entry.
    pub override_labels: BTreeMap<String, OverrideLabelConfig>,
    /// Who issues the access tokens clients send. Without an issuer no token is looked at and every caller is anonymous.
    pub authentication: AuthenticationConfig,
    /// What happens to operations that need a permission the caller does not have.
    pub authorization: AuthorizationConfig,
    /// How often one client may call.
    pub rate_limits: RateLimitsConfig,
}

impl Default for RouterConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 4000)),
            trusted_proxies: 0,
            supergraph: None,
            registry: None,
            reload: ReloadConfig::default(),
            subgraph_urls: BTreeMap::new(),
            max_subgraph_response_bytes: 16 * 1024 * 1024,
            mask_subgraph_errors: false,
            timeouts: TimeoutsConfig::default(),
            limits: LimitsConfig::default(),
            introspection: true,
            playground: PlaygroundConfig::default(),
            cors: CorsConfig::default(),
            csrf_headers: vec!["x-fondaco-csrf".to_owned(), "apollo-require-preflight".to_owned()],
            headers: HeadersConfig::default(),
            operation_log: OperationLogConfig::default(),
            plan_cache: PlanCacheConfig::default(),
            override_labels: BTreeMap::new(),
            authentication: AuthenticationConfig::default(),
            authorization: AuthorizationConfig::default(),
            rate_limits: RateLimitsConfig::default(),
        }
    }
}

impl RouterConfig {
    /// Reads the section as a document of its own; the error names the key, line and column.
    pub fn from_yaml(text: &str) -> Result<Self, ConfigError> {
        let config: Self =
            serde_saphyr::from_str(text).map_err(|error| ConfigError::Syntax(error.to_string()))?;
        config.validate()?;
        Ok(config)
    }

    /// Checks what the types cannot: call it after reading the section as part of a larger file.
    pub fn validate(&self) -> Result<(), ConfigError> {
        for (name, url) in &self.subgraph_urls {
            parse_uri(&format!("subgraph_urls.{name}"), url)?;
        }
        for name in self
            .csrf_headers
            .iter()
            .chain(&self.cors.headers)
            .chain(&self.operation_log.client_name_headers)
            .chain(&self.operation_log.client_version_headers)
        {
            name.parse::<http::HeaderName>().map_err(|_| {
                let problem = format!("`{name}` is not a header name");
                ConfigError::value("csrf_headers, cors.headers, operation_log", problem)
            })?;
        }
        self.operation_log.validate()?;
        self.headers.validate()?;
        for origin in &self.cors.origins {
            origin
                .parse::<http::HeaderValue>()
                .map_err(|_| ConfigError::value("cors.origins", format!("`{origin}` is not an origin")))?;
        }
        if self.cors.credentials && self.cors.origins.iter().any(|origin| origin == "*") {
            return Err(ConfigError::value(
                "cors.credentials",
                "cannot be true while cors.origins allows every site",
            ));
        }
        for (label, rule) in &self.override_labels {
            rule.validate(label)?;
        }
        self.authentication.validate()?;
        self.authorization.validate()?;
        self.rate_limits.validate()
    }
}

fn parse_uri(key: &str, url: &str) -> Result<(), ConfigError> {
    let uri: http::Uri = url
        .parse()
        .map_err(|_| ConfigError::value(key, format!("`{url}` is not a URL")))?;
    match uri.scheme_str() {
        Some("http" | "https") => Ok(()),
        _ => Err(ConfigError::value(
            key,
            format!("`{url}` is not an http or https URL"),
        )),
    }
}

/// Why a configuration was refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Not YAML, an unknown key, or a value of the wrong type.
    #[error("the router's configuration cannot be read: {0}")]
    Syntax(String),
    /// A value that its type allows but the router cannot use.
    #[error("router.{key}: {problem}")]
    Value {
        /// Key below `router`.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl ConfigError {
    fn value(key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Value {
            key: key.into(),
            problem: problem.into(),
        }
    }
}

/// Watching the supergraph file, or the registry.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReloadConfig {
    /// Whether a changed supergraph is taken without a restart.
    pub enabled: bool,
    /// Time between two looks, in milliseconds.
    pub interval_ms: u64,
}

impl Default for ReloadConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            interval_ms: 1_000,
        }
    }
}

/// Time limits, in milliseconds.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TimeoutsConfig {
    /// The head of a request; an idle connection is kept as long.
    pub header_read_ms: u64,
    /// A whole request from there, its body included.
    pub request_ms: u64,
    /// One call to a subgraph.
    pub subgraph_ms: u64,
    /// How long running requests may go on after a shutdown was asked for.
    pub shutdown_ms: u64,
}

impl Default for TimeoutsConfig {
    fn default() -> Self {
        Self {
            header_read_ms: 30_000,
            request_ms: 30_000,
            subgraph_ms: 15_000,
            shutdown_ms: 20_000,
        }
    }
}

impl TimeoutsConfig {
    /// Limit of a request's head.
    pub fn header_read(&self) -> Duration {
        Duration::from_millis(self.header_read_ms)
    }

    /// Limit of a whole request.
    pub fn request(&self) -> Duration {
        Duration::from_millis(self.request_ms)
    }

    /// Limit of one call to a subgraph.
    pub fn subgraph(&self) -> Duration {
        Duration::from_millis(self.subgraph_ms)
    }

    /// Limit of a graceful shutdown.
    pub fn shutdown(&self) -> Duration {
        Duration::from_millis(self.shutdown_ms)
    }
}

/// Limits on one request.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    /// Largest request body, in bytes.
    pub body_bytes: usize,
    /// Lexical tokens of a document.
    pub tokens: usize,
    /// Levels of nested fields.
    pub depth: usize,
    /// Aliases, fragments counted as often as they are spread.
    pub aliases: usize,
    /// Fields at the root of an operation.
    pub root_fields: usize,
    /// Fields of an operation, fragments counted as often as they are spread.
    pub fields: usize,
    /// Steps that planning an operation may take: fields looked at, for each type and subgraph they may come from. A step
    /// takes about a microsecond.
    pub planning_steps: usize,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            body_bytes: 1_000_000,
            tokens: 20_000,
            depth: 50,
            aliases: 200,
            root_fields: 100,
            fields: 10_000,
            planning_steps: 400_000,
        }
    }
}

/// The GraphiQL page.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlaygroundConfig {
    /// Whether a browser that opens `/graphql` gets the page.
    pub enabled: bool,
    /// Query in the editor on a first visit.
    pub default_query: Option<String>,
}

impl Default for PlaygroundConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            default_query: None,
        }
    }
}

/// Cross-origin resource sharing. Without origins no other site's page may call the router.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CorsConfig {
    /// Allowed origins (`https://shop.example`), or `*`.
    pub origins: Vec<String>,
    /// Whether cookies and client certificates may be sent.
    pub credentials: bool,
    /// Request headers pages may set, besides `content-type`, `authorization` and `x-request-id`.
    pub headers: Vec<String>,
    /// How long a browser may remember the answer to its preflight request, in seconds.
    pub max_age_seconds: Option<u64>,
}

/// The cache of prepared operations.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlanCacheConfig {
    /// Operations kept; a document longer than 4 KiB counts as several.
    pub operations: usize,
}

impl Default for PlanCacheConfig {
    fn default() -> Self {
        Self { operations: 4_096 }
    }
}

/// When a progressive `@override` is in force: for a share of the requests, or for those with a header.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OverrideLabelConfig {
    /// Share of the requests, from 0 to 100. Callers who are signed in are always on the same side.
    pub percent: Option<f64>,
    /// A request header that must be there, instead of `percent`.
    pub header: Option<String>,
    /// The value that `header` must have; without it any will do.
    pub value: Option<String>,
}

impl OverrideLabelConfig {
    fn validate(&self, label: &str) -> Result<(), ConfigError> {
        let key = format!("override_labels.{label}");
        match (self.percent, &self.header, &self.value) {
            (Some(percent), None, None) if (0.0..=100.0).contains(&percent) => Ok(()),
            (Some(percent), None, None) => Err(ConfigError::value(
                key,
                format!("percent must be from 0 to 100, not {percent}"),
            )),
            (None, Some(name), value) => {
                name.parse::<http::HeaderName>()
                    .map_err(|_| ConfigError::value(&key, format!("`{name}` is not a header name")))?;
                let faulty = value
                    .as_ref()
                    .filter(|value| value.parse::<http::HeaderValue>().is_err());
                match faulty {
                    Some(value) => Err(ConfigError::value(
                        key,
                        format!("`{value}` is not a header value"),
                    )),
                    None => Ok(()),
                }
            }
            _ => Err(ConfigError::value(
                key,
                "needs either percent, or header and perhaps value",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_section_is_complete() {
        let config = RouterConfig::from_yaml("{}").unwrap();
        assert_eq!(config.listen.port(), 4000);
        assert_eq!(config.limits.depth, 50);
    }

    #[test]
    fn refusals_name_the_key() {
        let cases: Vec<(String, String)> = serde_saphyr::from_str(include_str!("refusals.yaml")).unwrap();
        for (text, named) in cases {
            let message = RouterConfig::from_yaml(&text).unwrap_err().to_string();
            assert!(message.contains(&named), "{text}: {message}");
        }
    }
}
