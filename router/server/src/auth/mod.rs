//! Who calls, and what they may see: tokens in [`jwt`], keys in [`jwks`], schema directives in [`directives`].

pub mod directives;
pub mod jwks;
pub mod jwt;

use std::sync::Arc;

use jwt::VerifiedToken;

/// The caller of one request.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    token: Option<Arc<VerifiedToken>>,
}

impl Caller {
    /// A caller who sent no token.
    pub fn anonymous() -> Self {
        Self::default()
    }

    /// A caller who sent a valid token.
    pub fn authenticated(token: Arc<VerifiedToken>) -> Self {
        Self { token: Some(token) }
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

    /// Whether the policy was granted. Nothing grants policies yet, so `@policy` always denies.
    pub fn has_policy(&self, _policy: &str) -> bool {
        false
    }
}
