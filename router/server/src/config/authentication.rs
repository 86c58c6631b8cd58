//! `router.authentication`: whose access tokens are believed, and what they say.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use jsonwebtoken::Algorithm;
use serde::Deserialize;

use super::{ConfigError, parse_uri};

/// Verification of access tokens.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuthenticationConfig {
    /// Accepted issuers; the `iss` claim of a token decides which one applies.
    pub issuers: Vec<IssuerConfig>,
    /// Where a request carries its token; the first place that holds one counts.
    pub sources: Vec<TokenSource>,
    /// For browser apps: a cookie that holds the token, set and cleared by the router. It is also a source, after the others.
    pub session_cookie: Option<SessionCookieConfig>,
    /// Verified tokens remembered.
    pub token_cache: usize,
    /// How ended sessions are looked up, for issuers with `revocation: true`.
    pub revocation: RevocationConfig,
}

impl Default for AuthenticationConfig {
    fn default() -> Self {
        Self {
            issuers: Vec::new(),
            sources: vec![TokenSource::Header(HeaderSource::default())],
            session_cookie: None,
            token_cache: 10_000,
            revocation: RevocationConfig::default(),
        }
    }
}

impl AuthenticationConfig {
    /// Whether any issuer's sessions can be ended before their tokens expire, which needs Redis.
    pub fn needs_redis(&self) -> bool {
        self.issuers.iter().any(|issuer| issuer.revocation)
    }

    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        self.sources.iter().try_for_each(TokenSource::validate)?;
        self.session_cookie
            .as_ref()
            .map_or(Ok(()), SessionCookieConfig::validate)?;
        self.issuers.iter().try_for_each(IssuerConfig::validate)
    }
}

/// A place in a request that may hold a token.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenSource {
    /// A header.
    Header(HeaderSource),
    /// The cookie of that name. Such requests must also show that no other site's page forged them.
    Cookie(String),
}

impl TokenSource {
    fn validate(&self) -> Result<(), ConfigError> {
        let key = "authentication.sources";
        match self {
            Self::Header(header) if header.name.parse::<http::HeaderName>().is_err() => {
                let problem = format!("`{}` is not a header name", header.name);
                Err(ConfigError::value(key, problem))
            }
            Self::Cookie(name) if !is_cookie_name(name) => {
                Err(ConfigError::value(key, format!("`{name}` is not a cookie name")))
            }
            _ => Ok(()),
        }
    }
}

/// A token of HTTP (RFC 9110, section 5.6.2), as RFC 6265, section 4.1.1, wants it.
fn is_cookie_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(allowed)
}

/// A header that holds a token.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HeaderSource {
    /// Its name.
    pub name: String,
    /// Word before the token, as in `Bearer …`; empty: the token is the whole value.
    pub scheme: String,
}

impl Default for HeaderSource {
    fn default() -> Self {
        Self {
            name: "authorization".to_owned(),
            scheme: "Bearer".to_owned(),
        }
    }
}

/// A cookie that holds the token, out of reach of scripts.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SessionCookieConfig {
    /// Its name. With the prefix `__Host-` browsers take it from this host only, and over HTTPS only.
    pub name: String,
    /// Address that sets it by POST and clears it by DELETE.
    pub path: String,
    /// Whether links from other sites carry it.
    pub same_site: SameSite,
    /// Whether browsers send it over HTTPS only. Switch it off for development without HTTPS, with another name.
    pub secure: bool,
}

impl Default for SessionCookieConfig {
    fn default() -> Self {
        Self {
            name: "__Host-fondaco".to_owned(),
            path: "/session".to_owned(),
            same_site: SameSite::Strict,
            secure: true,
        }
    }
}

impl SessionCookieConfig {
    fn validate(&self) -> Result<(), ConfigError> {
        let key = "authentication.session_cookie";
        if !is_cookie_name(&self.name) {
            return Err(ConfigError::value(
                key,
                format!("`{}` is not a cookie name", self.name),
            ));
        }
        if !self.secure && self.name.starts_with("__") {
            let problem = format!(
                "browsers take `{}` only where secure is true; choose another name",
                self.name
            );
            return Err(ConfigError::value(key, problem));
        }
        let taken = ["/graphql", "/health", "/ready"].contains(&self.path.as_str());
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte);
        if taken || !self.path.starts_with('/') || !self.path.bytes().all(plain) {
            return Err(ConfigError::value(
                key,
                format!("`{}` cannot be its path", self.path),
            ));
        }
        Ok(())
    }
}

/// Which requests from other sites carry a cookie.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SameSite {
    /// None.
    #[default]
    Strict,
    /// Following a link.
    Lax,
}

/// Looking up ended sessions in Redis.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RevocationConfig {
    /// What becomes of a token whose session cannot be looked up.
    pub when_unreachable: WhenUnreachable,
}

/// What a rule that needs Redis does while Redis is away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WhenUnreachable {
    /// The request goes on as if the rule had passed.
    #[default]
    Accept,
    /// The request is refused with status 503.
    Refuse,
}

/// One issuer of access tokens.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerConfig {
    /// Value the `iss` claim must have.
    pub issuer: String,
    /// Values of which `aud` must hold one; empty accepts any.
    #[serde(default)]
    pub audiences: Vec<String>,
    /// Where the issuer publishes its keys (RFC 7517).
    #[serde(default)]
    pub jwks_url: Option<String>,
    /// File that holds the issuer's keys, instead of `jwks_url`. Only a file may hold symmetric keys.
    #[serde(default)]
    pub jwks_file: Option<PathBuf>,
    /// Algorithms accepted, of those each key is for anyway; empty accepts all of these.
    #[serde(default)]
    pub algorithms: Vec<Algorithm>,
    /// Values of which the `typ` of a token's header must be one, such as `at+jwt` (RFC 9068); empty accepts any.
    #[serde(default)]
    pub token_types: Vec<String>,
    /// Shortest time between two fetches of the keys, in seconds.
    #[serde(default = "default_min_refresh")]
    pub min_refresh_seconds: u64,
    /// Time after which the keys are fetched again though none is missing, in seconds.
    #[serde(default = "default_max_age")]
    pub max_age_seconds: u64,
    /// Tolerated difference between clocks, in seconds.
    #[serde(default)]
    pub leeway_seconds: u64,
    /// String claims that must have these values, such as `token_use: access`.
    #[serde(default)]
    pub required_claims: BTreeMap<String, String>,
    /// Which claims say what about the caller.
    #[serde(default)]
    pub claims: ClaimsConfig,
    /// Whether the sessions of this issuer can end before their tokens expire: looked up in Redis by the session claim.
    #[serde(default)]
    pub revocation: bool,
}

fn default_min_refresh() -> u64 {
    10
}

fn default_max_age() -> u64 {
    600
}

impl IssuerConfig {
    /// An issuer that publishes its keys at `jwks_url`.
    pub fn at(issuer: &str, jwks_url: String) -> Self {
        Self {
            issuer: issuer.to_owned(),
            audiences: Vec::new(),
            jwks_url: Some(jwks_url),
            jwks_file: None,
            algorithms: Vec::new(),
            token_types: Vec::new(),
            min_refresh_seconds: default_min_refresh(),
            max_age_seconds: default_max_age(),
            leeway_seconds: 0,
            required_claims: BTreeMap::new(),
            claims: ClaimsConfig::default(),
            revocation: false,
        }
    }

    fn validate(&self) -> Result<(), ConfigError> {
        match (&self.jwks_url, &self.jwks_file) {
            (Some(url), None) => parse_uri("authentication.issuers.jwks_url", url),
            (None, Some(_)) => Ok(()),
            _ => Err(ConfigError::value(
                "authentication.issuers",
                format!("issuer `{}` needs either jwks_url or jwks_file", self.issuer),
            )),
        }
    }
}

/// Which claims say what about the caller. Dots descend into objects: `realm_access.roles`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClaimsConfig {
    /// Claim that names the user.
    pub subject: String,
    /// Claim that names the session.
    pub session: String,
    /// Claims that hold roles: a list, or a space-separated string.
    pub roles: Vec<String>,
    /// Claims that hold scopes: a list, or a space-separated string (RFC 8693, section 4.2).
    pub scopes: Vec<String>,
    /// What a value among roles or scopes stands for besides itself, as scopes.
    pub scope_map: BTreeMap<String, Vec<String>>,
    /// The only scopes this issuer may grant; unset: any.
    pub allowed_scopes: Option<BTreeSet<String>>,
    /// The only roles this issuer may grant; unset: any.
    pub allowed_roles: Option<BTreeSet<String>>,
}

impl Default for ClaimsConfig {
    fn default() -> Self {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            subject: "sub".to_owned(),
            session: "sid".to_owned(),
            roles: list(&["roles"]),
            scopes: list(&["scope", "scp", "scopes"]),
            scope_map: BTreeMap::new(),
            allowed_scopes: None,
            allowed_roles: None,
        }
    }
}
