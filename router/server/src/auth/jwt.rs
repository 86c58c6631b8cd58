//! Verifies access tokens (RFC 7519) and remembers those it verified.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest;
use http::HeaderMap;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Header, Validation};
use quick_cache::sync::Cache;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Caller;
use super::claims::Claims;
use super::jwks::{KeySet, VerificationKey};
use super::revocation::{NotLive, Sessions};
use super::token_source::{self, TokenSource};
use crate::config::{AuthenticationConfig, ClaimsConfig, IssuerConfig};
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

impl VerifiedToken {
    /// Names the user among those of all issuers.
    pub fn subject(&self) -> String {
        format!(
            "{}:{}",
            self.issuer,
            self.claims.sub.as_deref().unwrap_or_default()
        )
    }
}

/// Finds out who calls.
pub struct Authenticator {
    issuers: Vec<Issuer>,
    sources: Vec<TokenSource>,
    verified: Cache<TokenDigest, Arc<VerifiedToken>>,
    sessions: Option<Sessions>,
}

struct Issuer {
    name: String,
    keys: Arc<KeySet>,
    algorithms: Vec<Algorithm>,
    token_types: Vec<String>,
    validation: Validation,
    required_claims: BTreeMap<String, String>,
    claims: ClaimsConfig,
    leeway: u64,
    revocation: bool,
}

impl Authenticator {
    /// Starts fetching the keys of every issuer. Issuers whose sessions can end need `sessions`.
    pub fn new(config: &AuthenticationConfig, sessions: Option<Sessions>) -> Self {
        Self {
            issuers: config.issuers.iter().map(Issuer::new).collect(),
            sources: TokenSource::all(config),
            verified: Cache::new(config.token_cache.max(1)),
            sessions,
        }
    }

    /// The caller of a request with these headers; an error where a token was sent that is not valid.
    pub async fn authenticate(&self, headers: &HeaderMap) -> Result<Caller, RequestError> {
        if self.issuers.is_empty() {
            return Ok(Caller::anonymous());
        }
        let Some(sent) = token_source::find(&self.sources, headers).map_err(RequestError::Unauthenticated)?
        else {
            return Ok(Caller::anonymous());
        };
        let token = self
            .verify(sent.text)
            .await
            .map_err(RequestError::Unauthenticated)?;
        self.check_session(&token).await?;
        Ok(Caller::authenticated(token, sent.from_cookie))
    }

    /// The token of a request, if it was sent in a header.
    pub fn sent_in_header<'a>(&self, headers: &'a HeaderMap) -> Result<Option<&'a str>, RequestError> {
        let sent = token_source::find(&self.sources, headers).map_err(RequestError::Unauthenticated)?;
        Ok(sent.filter(|sent| !sent.from_cookie).map(|sent| sent.text))
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

    /// Remembered or not, a token dies with its session.
    async fn check_session(&self, token: &VerifiedToken) -> Result<(), RequestError> {
        let Some(sessions) = self
            .sessions
            .as_ref()
            .filter(|_| self.issuers[token.issuer].revocation)
        else {
            return Ok(());
        };
        let Some(session) = &token.claims.sid else {
            return Err(RequestError::Unauthenticated("a claim is missing"));
        };
        sessions.check(session).await.map_err(|why| match why {
            NotLive::Ended => RequestError::Unauthenticated("its session has ended"),
            NotLive::Unknown => RequestError::Unavailable,
        })
    }

    /// What an unverified token says decides only which issuer's keys and rules it must then satisfy.
    async fn verify_signature(
        &self,
        token: &str,
        digest: TokenDigest,
    ) -> Result<VerifiedToken, &'static str> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| "it cannot be read")?;
        if header.crit.is_some() {
            return Err("it uses an extension that is not known");
        }
        let said: Said =
            jsonwebtoken::dangerous::insecure_decode_claims(token).map_err(|_| "it cannot be read")?;
        let mut problem = "it comes from another issuer";
        for (index, issuer) in self.issuers.iter().enumerate() {
            if said.iss.as_deref() != Some(&issuer.name) {
                continue;
            }
            problem = "its key is not known";
            if let Some(key) = issuer.keys.find(header.kid.as_deref()).await {
                let key_generation = issuer.keys.current().generation;
                return Ok(VerifiedToken {
                    digest,
                    claims: issuer.verify(token, &header, &key)?,
                    issuer: index,
                    key_generation,
                });
            }
        }
        Err(problem)
    }
}

/// What an unverified token says about its origin.
#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    iss: Option<String>,
}

impl Issuer {
    fn new(config: &IssuerConfig) -> Self {
        let keys = KeySet::new(config);
        keys.start_refresh();
        Self {
            name: config.issuer.clone(),
            keys,
            algorithms: config.algorithms.clone(),
            token_types: config.token_types.clone(),
            validation: validation(config),
            required_claims: config.required_claims.clone(),
            claims: config.claims.clone(),
            leeway: config.leeway_seconds,
            revocation: config.revocation,
        }
    }

    fn verify(&self, token: &str, header: &Header, key: &VerificationKey) -> Result<Claims, &'static str> {
        self.check_type(header)?;
        let accepted =
            |algorithm: &&Algorithm| self.algorithms.is_empty() || self.algorithms.contains(algorithm);
        let algorithms: Vec<Algorithm> = key.algorithms.iter().filter(accepted).copied().collect();
        if algorithms.is_empty() {
            return Err("its algorithm is not accepted");
        }
        let validation = Validation {
            algorithms,
            ..self.validation.clone()
        };
        let claims = jsonwebtoken::decode::<Map<String, Value>>(token, &key.key, &validation)
            .map_err(|error| describe(error.kind()))?
            .claims;
        self.check_required(&claims)?;
        Ok(Claims::read(claims, &self.claims))
    }

    /// `application/` may be left out of a media type (RFC 7515, section 4.1.9).
    fn check_type(&self, header: &Header) -> Result<(), &'static str> {
        let bare = |text: &str| {
            let text = text.to_ascii_lowercase();
            text.strip_prefix("application/")
                .map(str::to_owned)
                .unwrap_or(text)
        };
        let sent = header.typ.as_deref().map(bare);
        let fits = |accepted: &String| sent.as_ref() == Some(&bare(accepted));
        if self.token_types.is_empty() || self.token_types.iter().any(fits) {
            Ok(())
        } else {
            Err("it is not meant for this use")
        }
    }

    fn check_required(&self, claims: &Map<String, Value>) -> Result<(), &'static str> {
        let holds =
            |(name, value): (&String, &String)| claims.get(name).and_then(Value::as_str) == Some(value);
        if self.required_claims.iter().all(holds) {
            Ok(())
        } else {
            Err("it is not meant for this use")
        }
    }
}

fn validation(config: &IssuerConfig) -> Validation {
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
    validation
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
