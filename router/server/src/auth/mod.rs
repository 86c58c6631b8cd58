//! Who calls, and what they may see.
//!
//! - `token_source`, `jwt`, `jwks`, `claims`: the token of a request, verified
//! - `revocation`: sessions that ended before their tokens
//! - `directives`, `policies`: what the schema asks of callers
//! - `visible_schema`: the part of the schema that introspection shows them

pub mod claims;
pub mod directives;
pub mod jwks;
pub mod jwt;
pub mod policies;
pub mod revocation;
mod token_source;
pub mod visible_schema;

use std::net::IpAddr;
use std::sync::Arc;

use jwt::VerifiedToken;

/// The caller of one request.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    token: Option<Arc<VerifiedToken>>,
    by_cookie: bool,
    address: Option<IpAddr>,
}

impl Caller {
    /// A caller who sent no token.
    pub fn anonymous() -> Self {
        Self::default()
    }

    /// A caller who sent a valid token, perhaps in a cookie.
    pub fn authenticated(token: Arc<VerifiedToken>, by_cookie: bool) -> Self {
        Self {
            token: Some(token),
            by_cookie,
            address: None,
        }
    }

    /// The same caller, at that network address.
    #[must_use]
    pub fn at(mut self, address: Option<IpAddr>) -> Self {
        self.address = address;
        self
    }

    /// The network address of the client, if known.
    pub fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// Whether a browser sent the proof by itself, which it also does for another site's page.
    pub fn came_by_cookie(&self) -> bool {
        self.by_cookie
    }

    /// The verified token, if the caller sent one.
    pub fn token(&self) -> Option<&Arc<VerifiedToken>> {
        self.token.as_ref()
    }

    /// Whether the caller proved who it is.
    pub fn is_authenticated(&self) -> bool {
        self.token.is_some()
    }

    /// Whether the caller's token carries the scope.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.token
            .as_ref()
            .is_some_and(|token| token.claims.has_scope(scope))
    }
}
