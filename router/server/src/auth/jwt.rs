//! Verifies access tokens (RFC 7519) and remembers those it verified.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use jsonwebtoken::Validation;
use jsonwebtoken::errors::ErrorKind;
use quick_cache::sync::Cache;
use serde::Deserialize;

use super::Caller;
use super::jwks::KeySet;
use crate::config::{AuthenticationConfig, IssuerConfig};
use crate::error::RequestError;

/// SHA-256 of a token: what caches know it by.
pub type TokenDigest = [u8; 32];

/// A token whose signature and claims were found good.
#[derive(Debug)]
pub struct VerifiedToken {
    /// Identifies the token without holding it.
    pub digest: TokenDigest,
    /// What it says about the caller.
    pub claims: Claims,
    issuer: usize,
    key_generation: u64,
}

/// Claims the router uses; all others are carried by nobody.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Claims {
    /// User id.
    #[serde(default)]
    pub sub: Option<String>,
    /// Session id.
    #[serde(default)]
    pub sid: Option<String>,
    /// Roles.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Scopes: a space-separated string (RFC 8693, section 4.2) or a list.
    #[serde(default, deserialize_with = "scopes", alias = "scp", alias = "scopes")]
    pub scope: Vec<String>,
    /// End of validity, in Unix seconds.
    pub exp: u64,
    #[serde(flatten)]
    others: BTreeMap<String, serde_json::Value>,
}

impl Claims {
    /// Whether the scope was granted.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scope.iter().any(|granted| granted == scope)
    }
}

fn scopes<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Scopes {
        Text(String),
        List(Vec<String>),
    }
    Ok(match Scopes::deserialize(deserializer)? {
        Scopes::Text(text) => text.split_ascii_whitespace().map(str::to_owned).collect(),
        Scopes::List(list) => list,
    })
}

/// Finds out who calls.
pub struct Authenticator {
    issuers: Vec<Issuer>,
    verified: Cache<TokenDigest, Arc<VerifiedToken>>,
}

struct Issuer {
    keys: Arc<KeySet>,
    validation: Validation,
    required_claims: BTreeMap<String, String>,
    leeway: u64,
}

/// Longest token looked at, in bytes; ours are about 500.
const LONGEST_TOKEN: usize = 8 * 1024;

impl Authenticator {
    /// Starts fetching the keys of every issuer.
    pub fn new(config: &AuthenticationConfig) -> Self {
        let issuers = config.issuers.iter().map(Issuer::new).collect();
        Self {
            issuers,
            verified: Cache::new(config.token_cache.max(1)),
        }
    }

    /// The caller of a request with these headers; an error where a token was sent that is not valid.
    pub async fn authenticate(&self, headers: &HeaderMap) -> Result<Caller, RequestError> {
        if self.issuers.is_empty() {
            return Ok(Caller::anonymous());
        }
        match bearer_token(headers).map_err(RequestError::Unauthenticated)? {
            None => Ok(Caller::anonymous()),
            Some(token) => self
                .verify(token)
                .await
                .map(Caller::authenticated)
                .map_err(RequestError::Unauthenticated),
        }
    }

    async fn verify(&self, token: &str) -> Result<Arc<VerifiedToken>, &'static str> {
        let digest = digest_of(token);
        if let Some(known) = self.verified.get(&digest)
            && self.still_valid(&known)
        {
            return Ok(known);
        }
        let verified = Arc::new(self.verify_signature(token, digest).await?);
        self.verified.insert(digest, Arc::clone(&verified));
        Ok(verified)
    }

    /// A remembered token must not outlive its own expiry, nor the keys it was verified with.
    fn still_valid(&self, token: &VerifiedToken) -> bool {
        let issuer = &self.issuers[token.issuer];
        unix_now() < token.claims.exp.saturating_add(issuer.leeway)
            && issuer.keys.current().generation == token.key_generation
    }

    async fn verify_signature(
        &self,
        token: &str,
        digest: TokenDigest,
    ) -> Result<VerifiedToken, &'static str> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| "it cannot be read")?;
        if header.crit.is_some() {
            return Err("it uses an extension that is not known");
        }
        for (index, issuer) in self.issuers.iter().enumerate() {
            let Some(key) = issuer.keys.find(header.kid.as_deref()).await else {
                continue;
            };
            let key_generation = issuer.keys.current().generation;
            let validation = Validation {
                algorithms: key.algorithms.clone(),
                ..issuer.validation.clone()
            };
            let claims = jsonwebtoken::decode::<Claims>(token, &key.key, &validation)
                .map_err(|error| describe(error.kind()))?
                .claims;
            issuer.check_required(&claims)?;
            return Ok(VerifiedToken {
                digest,
                claims,
                issuer: index,
                key_generation,
            });
        }
        Err("its key is not known")
    }
}

impl Issuer {
    fn new(config: &IssuerConfig) -> Self {
        let keys = KeySet::new(config);
        keys.start_refresh();
        let mut validation = Validation {
            leeway: config.leeway_seconds,
            validate_nbf: true,
            ..Validation::default()
        };
        validation.set_issuer(&[&config.issuer]);
        validation.set_required_spec_claims(&["exp", "iss"]);
        validation.validate_aud = !config.audiences.is_empty();
        if validation.validate_aud {
            validation.set_audience(&config.audiences);
            validation.required_spec_claims.insert("aud".to_owned());
        }
        Self {
            keys,
            validation,
            required_claims: config.required_claims.clone(),
            leeway: config.leeway_seconds,
        }
    }

    fn check_required(&self, claims: &Claims) -> Result<(), &'static str> {
        let holds = |(name, value): (&String, &String)| {
            claims.others.get(name).and_then(serde_json::Value::as_str) == Some(value)
        };
        if self.required_claims.iter().all(holds) {
            Ok(())
        } else {
            Err("it is not meant for this use")
        }
    }
}

fn bearer_token(headers: &HeaderMap) -> Result<Option<&str>, &'static str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err("it was sent more than once");
    }
    let value = value.to_str().map_err(|_| "it cannot be read")?;
    let (scheme, token) = value.split_once(' ').ok_or("it is not a bearer token")?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err("it is not a bearer token");
    }
    let token = token.trim();
    if token.is_empty() || token.len() > LONGEST_TOKEN {
        return Err("it is empty or too long");
    }
    Ok(Some(token))
}

fn describe(error: &ErrorKind) -> &'static str {
    match error {
        ErrorKind::ExpiredSignature => "it has expired",
        ErrorKind::ImmatureSignature => "it is not valid yet",
        ErrorKind::InvalidIssuer => "it comes from another issuer",
        ErrorKind::InvalidAudience => "it is meant for another audience",
        ErrorKind::InvalidSignature => "its signature does not match",
        ErrorKind::InvalidAlgorithm => "its algorithm does not belong to its key",
        ErrorKind::MissingRequiredClaim(_) => "a claim is missing",
        _ => "it cannot be read",
    }
}

fn digest_of(token: &str) -> TokenDigest {
    let digest = digest::digest(&digest::SHA256, token.as_bytes());
    digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// Now, in Unix seconds.
pub fn unix_now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs())
}
