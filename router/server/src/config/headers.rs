//! `router.headers`: what of a client's headers subgraphs get, and what is added.

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue};
use serde::Deserialize;

use super::ConfigError;
use crate::headers::is_forbidden;

/// Headers between clients and subgraphs. Hop-by-hop, message and `fondaco-*` headers are none of these rules' business.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HeadersConfig {
    /// Client headers passed on to every subgraph: the short form of a `propagate` rule for each.
    pub propagate: Vec<String>,
    /// Rules for every subgraph, applied in order.
    pub rules: Vec<HeaderRule>,
    /// Rules for one subgraph, applied after those for every subgraph.
    pub subgraphs: BTreeMap<String, Vec<HeaderRule>>,
}

/// One step in making up the headers of a call.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeaderRule {
    /// Passes on a client's header.
    Propagate(PropagateRule),
    /// Sets a header, whatever the client or an earlier rule says.
    Insert(InsertRule),
    /// Takes away what earlier rules put there. A final `*` stands for any rest of the name.
    Remove(String),
}

/// Passing on a client's header.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PropagateRule {
    /// Its name. A final `*` stands for any rest of the name.
    pub name: String,
    /// Name the subgraph gets it under.
    #[serde(default)]
    pub rename: Option<String>,
    /// Value where the client sent none.
    #[serde(default)]
    pub default: Option<String>,
}

/// Setting a header.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InsertRule {
    /// Its name.
    pub name: String,
    /// Its value.
    #[serde(default)]
    pub value: Option<String>,
    /// Claim of the caller's token that is its value; without the claim there is no header.
    #[serde(default)]
    pub claim: Option<String>,
}

impl HeadersConfig {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        for name in &self.propagate {
            check_pattern("headers.propagate", name)?;
        }
        check_rules("headers.rules", &self.rules)?;
        for (subgraph, rules) in &self.subgraphs {
            check_rules(&format!("headers.subgraphs.{subgraph}"), rules)?;
        }
        Ok(())
    }
}

fn check_rules(key: &str, rules: &[HeaderRule]) -> Result<(), ConfigError> {
    rules.iter().try_for_each(|rule| match rule {
        HeaderRule::Propagate(rule) => check_propagate(key, rule),
        HeaderRule::Insert(rule) => check_insert(key, rule),
        HeaderRule::Remove(name) => check_pattern(key, name),
    })
}

fn check_propagate(key: &str, rule: &PropagateRule) -> Result<(), ConfigError> {
    let is_prefix = rule.name.ends_with('*');
    if is_prefix && (rule.rename.is_some() || rule.default.is_some()) {
        let problem = format!(
            "`{}` stands for many headers, which cannot be renamed or have a default",
            rule.name
        );
        return Err(ConfigError::value(key, problem));
    }
    check_pattern(key, &rule.name)?;
    if let Some(name) = &rule.rename {
        check_settable(key, name)?;
    }
    rule.default
        .as_ref()
        .map_or(Ok(()), |value| check_value(key, value))
}

fn check_insert(key: &str, rule: &InsertRule) -> Result<(), ConfigError> {
    check_settable(key, &rule.name)?;
    match (&rule.value, &rule.claim) {
        (Some(value), None) => check_value(key, value),
        (None, Some(_)) => Ok(()),
        _ => Err(ConfigError::value(
            key,
            format!("`{}` needs either value or claim", rule.name),
        )),
    }
}

fn check_pattern(key: &str, pattern: &str) -> Result<(), ConfigError> {
    match pattern.strip_suffix('*') {
        Some("") => Ok(()),
        prefix => check_name(key, prefix.unwrap_or(pattern)),
    }
}

fn check_name(key: &str, name: &str) -> Result<(), ConfigError> {
    match name.parse::<HeaderName>() {
        Ok(_) => Ok(()),
        Err(_) => Err(ConfigError::value(key, format!("`{name}` is not a header name"))),
    }
}

fn check_settable(key: &str, name: &str) -> Result<(), ConfigError> {
    check_name(key, name)?;
    if name.parse().is_ok_and(|name| is_forbidden(&name)) {
        return Err(ConfigError::value(
            key,
            format!("`{name}` cannot be set by a rule"),
        ));
    }
    Ok(())
}

fn check_value(key: &str, value: &str) -> Result<(), ConfigError> {
    match HeaderValue::from_str(value) {
        Ok(_) => Ok(()),
        Err(_) => Err(ConfigError::value(
            key,
            format!("`{value}` is not a header value"),
        )),
    }
}
