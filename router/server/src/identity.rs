//! Tells subgraphs who calls, in a form that a client cannot forge: the `fondaco-caller` header.

use std::collections::BTreeMap;
use std::net::IpAddr;

use http::{HeaderName, HeaderValue};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use quick_cache::Equivalent;
use quick_cache::sync::Cache;
use rustc_hash::FxHashMap;
use serde::Serialize;

use crate::auth::Caller;
use crate::auth::jwt::{TokenDigest, unix_now};

/// Name of the header.
pub const CALLER_HEADER: HeaderName = HeaderName::from_static("fondaco-caller");

/// Seconds a signed header is valid.
const VALIDITY: u64 = 10;
/// Seconds a signed header is used again for the same caller and subgraph: far less than its validity.
const REUSE: u64 = 3;
/// Callers remembered, times subgraphs.
const REMEMBERED: usize = 20_000;

/// Shortest secret accepted, in bytes: as long as the signature it makes (RFC 7518, section 3.2).
pub const SHORTEST_SECRET: usize = 32;

/// The secrets under which callers' identities are signed.
#[derive(Debug, Clone, Default)]
pub struct IdentitySecrets {
    /// For every subgraph that has none of its own.
    pub shared: Option<String>,
    /// By the subgraph's name.
    pub of_subgraphs: BTreeMap<String, String>,
}

/// Signs callers' identities.
pub struct CallerSigner {
    shared: Option<EncodingKey>,
    of_subgraphs: FxHashMap<String, EncodingKey>,
    header: Header,
    signed: Cache<OwnedCall, Signed>,
}

/// What a signature is for.
#[derive(Hash)]
struct Call<'a> {
    token: Option<TokenDigest>,
    address: Option<IpAddr>,
    subgraph: &'a str,
    path: &'a str,
}

/// A [`Call`] kept as a key; both hash alike.
#[derive(Hash, PartialEq, Eq)]
struct OwnedCall {
    token: Option<TokenDigest>,
    address: Option<IpAddr>,
    subgraph: String,
    path: String,
}

impl Equivalent<OwnedCall> for Call<'_> {
    fn equivalent(&self, key: &OwnedCall) -> bool {
        self.token == key.token
            && self.address == key.address
            && self.subgraph == key.subgraph
            && self.path == key.path
    }
}

#[derive(Clone)]
struct Signed {
    value: HeaderValue,
    reusable_until: u64,
}

/// Claims of the header, as ARCHITECTURE.md lays them down under "Caller identity".
#[derive(Serialize)]
struct CallerClaims<'a> {
    iss: &'static str,
    aud: &'a str,
    iat: u64,
    exp: u64,
    htm: &'static str,
    htu: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<&'a str>,
    roles: &'a [String],
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    addr: Option<IpAddr>,
}

impl CallerSigner {
    /// Signs under these secrets; an error names one that is shorter than [`SHORTEST_SECRET`].
    pub fn new(secrets: &IdentitySecrets) -> Result<Self, String> {
        let key = |name: &str, secret: &str| match secret.len() >= SHORTEST_SECRET {
            true => Ok(EncodingKey::from_secret(secret.as_bytes())),
            false => Err(name.to_owned()),
        };
        let shared = secrets.shared.as_deref().map(|secret| key("secret", secret));
        let of_subgraphs = secrets.of_subgraphs.iter().map(|(subgraph, secret)| {
            let key = key(&format!("secrets.{subgraph}"), secret)?;
            Ok((subgraph.clone(), key))
        });
        Ok(Self {
            shared: shared.transpose()?,
            of_subgraphs: of_subgraphs.collect::<Result<_, String>>()?,
            header: Header::new(Algorithm::HS256),
            signed: Cache::new(REMEMBERED),
        })
    }

    /// The header's value for a call to `subgraph` at the URL path `path` on behalf of `caller`; `None` where there is no secret
    /// for that subgraph, which is then not told.
    pub fn sign(&self, caller: &Caller, subgraph: &str, path: &str) -> Option<HeaderValue> {
        let key = self.of_subgraphs.get(subgraph).or(self.shared.as_ref())?;
        let now = unix_now();
        let call = Call {
            token: caller.token().map(|token| token.digest),
            address: caller.address(),
            subgraph,
            path,
        };
        if let Some(signed) = self.signed.get(&call)
            && now < signed.reusable_until
        {
            return Some(signed.value);
        }
        let signed = self.sign_now(caller, &call, key, now);
        let call = OwnedCall {
            token: call.token,
            address: call.address,
            subgraph: subgraph.to_owned(),
            path: path.to_owned(),
        };
        self.signed.insert(call, signed.clone());
        Some(signed.value)
    }

    fn sign_now(&self, caller: &Caller, call: &Call<'_>, key: &EncodingKey, now: u64) -> Signed {
        let claims = caller.token().map(|token| &token.claims);
        let client_exp = claims.map_or(u64::MAX, |claims| claims.exp);
        let body = CallerClaims {
            iss: "router",
            aud: call.subgraph,
            iat: now,
            exp: client_exp.min(now + VALIDITY),
            htm: "POST",
            htu: call.path,
            sub: claims.and_then(|claims| claims.sub.as_deref()),
            sid: claims.and_then(|claims| claims.sid.as_deref()),
            roles: claims.map_or(&[], |claims| &claims.roles),
            scope: claims.map_or_else(String::new, |claims| claims.scope.join(" ")),
            addr: call.address,
        };
        let token = jsonwebtoken::encode(&self.header, &body, key).expect("plain claims can be signed");
        let value = HeaderValue::try_from(token).expect("a JWT is printable ASCII");
        Signed {
            value,
            reusable_until: client_exp.min(now + REUSE),
        }
    }
}
