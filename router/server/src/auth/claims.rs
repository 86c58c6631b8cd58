//! What a verified token says about the caller, by the issuer's configuration.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::config::ClaimsConfig;

/// What the router reads from a token.
#[derive(Debug, Clone, Default)]
pub struct Claims {
    /// User id.
    pub sub: Option<String>,
    /// Session id.
    pub sid: Option<String>,
    /// Roles the issuer may grant.
    pub roles: Vec<String>,
    /// Scopes the issuer may grant.
    pub scope: Vec<String>,
    /// End of validity, in Unix seconds.
    pub exp: u64,
    /// All claims, for policies and header rules.
    pub all: Map<String, Value>,
}

impl Claims {
    /// Reads the claims of a token whose signature was verified.
    pub fn read(all: Map<String, Value>, config: &ClaimsConfig) -> Self {
        let text = |name: &str| at(&all, name).and_then(Value::as_str).map(str::to_owned);
        let words = |names: &[String]| -> Vec<String> {
            let values = names.iter().filter_map(|name| at(&all, name));
            values.flat_map(words_of).map(str::to_owned).collect()
        };
        let (mut roles, mut scope) = (words(&config.roles), words(&config.scopes));
        let mapped = roles.iter().chain(&scope);
        let mapped: Vec<String> = mapped
            .filter_map(|word| config.scope_map.get(word))
            .flatten()
            .cloned()
            .collect();
        scope.extend(mapped);
        if let Some(allowed) = &config.allowed_roles {
            roles.retain(|role| allowed.contains(role));
        }
        if let Some(allowed) = &config.allowed_scopes {
            scope.retain(|scope| allowed.contains(scope));
        }
        let mut seen = HashSet::new();
        scope.retain(|scope| seen.insert(scope.clone()));
        Self {
            sub: text(&config.subject),
            sid: text(&config.session),
            roles,
            scope,
            exp: seconds(all.get("exp")),
            all,
        }
    }

    /// Whether the scope was granted.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scope.iter().any(|granted| granted == scope)
    }

    /// Whether the role was granted.
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|granted| granted == role)
    }

    /// The claim of that name; dots descend into objects.
    pub fn get(&self, name: &str) -> Option<&Value> {
        at(&self.all, name)
    }
}

/// A claim by its whole name, which may hold dots (`https://shop.example/roles`), or by steps through objects.
fn at<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    claims.get(name).or_else(|| {
        let mut steps = name.split('.');
        let first = claims.get(steps.next()?)?;
        steps.try_fold(first, |value, step| value.get(step))
    })
}

fn words_of(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => text.split_ascii_whitespace().collect(),
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// NumericDate (RFC 7519, section 2), of which fractions are legal.
fn seconds(value: Option<&Value>) -> u64 {
    let whole = value.and_then(Value::as_u64);
    whole
        .or_else(|| value.and_then(Value::as_f64).map(|seconds| seconds as u64))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(claims: Value, config: &str) -> Claims {
        let Value::Object(all) = claims else {
            panic!("claims are an object")
        };
        Claims::read(all, &serde_saphyr::from_str(config).unwrap())
    }

    #[test]
    fn scopes_come_from_any_configured_claim() {
        let claims = serde_json::json!({
            "sub": "u", "scope": "b a", "realm": { "groups": ["staff", "x"] }, "permissions": ["c", 1], "exp": 12.5,
        });
        let cases = [
            ("{}", &["b", "a"][..]),
            ("scopes: [permissions]", &["c"]),
            ("scopes: [scope, permissions, missing]", &["b", "a", "c"]),
            (
                "{ roles: [realm.groups], scope_map: { staff: [write, a] } }",
                &["b", "a", "write"],
            ),
            (
                "{ roles: [realm.groups], scope_map: { staff: [write] }, allowed_scopes: [write] }",
                &["write"],
            ),
            ("allowed_scopes: []", &[]),
        ];
        for (config, expected) in cases {
            let read = read(claims.clone(), config);
            assert_eq!(read.scope, expected, "{config}");
            assert_eq!((read.sub.as_deref(), read.exp), (Some("u"), 12));
        }
    }

    #[test]
    fn roles_are_limited_to_those_allowed() {
        let claims = serde_json::json!({ "roles": ["admin", "customer"] });
        assert_eq!(read(claims.clone(), "{}").roles, ["admin", "customer"]);
        assert_eq!(read(claims, "allowed_roles: [customer]").roles, ["customer"]);
    }
}
