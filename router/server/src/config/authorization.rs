//! `router.authorization`: what callers may use of the graph.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{ConfigError, parse_uri};

/// Enforcement of `@authenticated`, `@requiresScopes` and `@policy`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuthorizationConfig {
    /// What happens to an operation with parts the caller may not use.
    pub mode: AuthorizationMode,
    /// Whether denials are only logged, and nothing is denied: for trying out directives on a graph in use.
    pub dry_run: bool,
    /// Whether introspection leaves out what the caller may not use.
    pub hide_from_introspection: bool,
    /// Who decides about the policies that `@policy` names.
    pub policies: PoliciesConfig,
}

impl AuthorizationConfig {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        for (policy, alternatives) in &self.policies.rules {
            if alternatives.is_empty() || alternatives.iter().any(PolicyCondition::is_empty) {
                return Err(ConfigError::value(
                    format!("authorization.policies.rules.{policy}"),
                    "needs one condition or more: authenticated, roles, scopes, claims",
                ));
            }
        }
        match &self.policies.coprocessor {
            Some(coprocessor) => parse_uri("authorization.policies.coprocessor.url", &coprocessor.url),
            None => Ok(()),
        }
    }
}

/// What happens to an operation with parts the caller may not use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthorizationMode {
    /// Those parts are null with an error, the rest is answered.
    #[default]
    Filter,
    /// The whole operation is refused with status 403.
    Reject,
}

/// Who decides about policies: a rule of that name; else the coprocessor; else the policy is not granted.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PoliciesConfig {
    /// Policies by name: granted where any one of the conditions holds.
    pub rules: BTreeMap<String, Vec<PolicyCondition>>,
    /// A service that decides about the others.
    pub coprocessor: Option<CoprocessorConfig>,
}

/// What must be true of a caller, all of it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PolicyCondition {
    /// Has a valid token.
    pub authenticated: bool,
    /// Has all these roles.
    pub roles: Vec<String>,
    /// Has all these scopes.
    pub scopes: Vec<String>,
    /// The token's claims have these values, or are lists that hold them. Dots descend into objects.
    pub claims: BTreeMap<String, String>,
}

impl PolicyCondition {
    fn is_empty(&self) -> bool {
        !self.authenticated && self.roles.is_empty() && self.scopes.is_empty() && self.claims.is_empty()
    }
}

/// A service that is asked by POST, at most once per request, with JSON: `{"policies": […], "caller": {…} or null}`. It answers
/// `{"granted": […]}`. Without an answer nothing is granted.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoprocessorConfig {
    /// Its address.
    pub url: String,
    /// Longest time it may take, in milliseconds.
    #[serde(default = "default_coprocessor_timeout")]
    pub timeout_ms: u64,
}

fn default_coprocessor_timeout() -> u64 {
    500
}
