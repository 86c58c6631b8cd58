//! The rules by which headers of clients become headers of calls: propagate, rename, insert, remove.

use http::{HeaderMap, HeaderName, HeaderValue};
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::Value;

use crate::auth::Caller;
use crate::config::{HeaderRule, HeadersConfig};
use crate::headers::{is_forbidden, is_nominated, with_dashes};

/// The configured rules, ready to apply.
pub struct HeaderRules {
    every_subgraph: Vec<Rule>,
    by_subgraph: FxHashMap<String, Vec<Rule>>,
    /// Names that rules set, with dashes. What a client sends under them is not passed on: a subgraph believes them.
    set_by_rules: FxHashSet<String>,
}

enum Rule {
    Propagate {
        name: Pattern,
        rename: Option<HeaderName>,
        default: Option<HeaderValue>,
    },
    Insert {
        name: HeaderName,
        value: Inserted,
    },
    Remove(Pattern),
}

enum Pattern {
    Name(HeaderName),
    Prefix(String),
}

enum Inserted {
    Value(HeaderValue),
    Claim(String),
}

impl HeaderRules {
    /// The rules of a configuration that was checked.
    pub fn new(config: &HeadersConfig) -> Self {
        let propagated = config.propagate.iter().filter_map(|name| {
            Some(Rule::Propagate {
                name: Pattern::new(name)?,
                rename: None,
                default: None,
            })
        });
        let every_subgraph: Vec<Rule> = propagated.chain(rules(&config.rules)).collect();
        let by_subgraph: FxHashMap<String, Vec<Rule>> = config
            .subgraphs
            .iter()
            .map(|(subgraph, list)| (subgraph.clone(), rules(list).collect()))
            .collect();
        let all = every_subgraph.iter().chain(by_subgraph.values().flatten());
        let set_by_rules = all
            .filter_map(Rule::sets)
            .map(|name| with_dashes(name.as_str()).into_owned());
        Self {
            set_by_rules: set_by_rules.collect(),
            every_subgraph,
            by_subgraph,
        }
    }

    /// Applies the rules for every subgraph.
    pub fn apply_common(&self, client: &HeaderMap, caller: &Caller, headers: &mut HeaderMap) {
        self.apply(&self.every_subgraph, client, caller, headers);
    }

    /// Applies the rules for one subgraph.
    pub fn apply_for(&self, subgraph: &str, client: &HeaderMap, caller: &Caller, headers: &mut HeaderMap) {
        if let Some(rules) = self.by_subgraph.get(subgraph) {
            self.apply(rules, client, caller, headers);
        }
    }

    fn apply(&self, rules: &[Rule], client: &HeaderMap, caller: &Caller, headers: &mut HeaderMap) {
        for rule in rules {
            match rule {
                Rule::Propagate {
                    name,
                    rename,
                    default,
                } => {
                    self.propagate(name, rename.as_ref(), client, headers);
                    let target = rename.as_ref().or(name.exact());
                    if let (Some(target), Some(default)) = (target, default)
                        && !headers.contains_key(target)
                    {
                        headers.insert(target.clone(), default.clone());
                    }
                }
                Rule::Insert { name, value } => {
                    headers.remove(name);
                    if let Some(value) = value.of(caller) {
                        headers.insert(name.clone(), value);
                    }
                }
                Rule::Remove(pattern) => remove(pattern, headers),
            }
        }
    }

    fn propagate(
        &self,
        pattern: &Pattern,
        rename: Option<&HeaderName>,
        client: &HeaderMap,
        headers: &mut HeaderMap,
    ) {
        match pattern {
            Pattern::Name(name) => {
                for value in client
                    .get_all(name)
                    .iter()
                    .filter(|_| self.may_pass(client, name))
                {
                    headers.append(rename.unwrap_or(name).clone(), value.clone());
                }
            }
            Pattern::Prefix(prefix) => {
                let matching = client
                    .iter()
                    .filter(|(name, _)| name.as_str().starts_with(prefix));
                for (name, value) in matching.filter(|(name, _)| self.may_pass(client, name)) {
                    headers.append(name.clone(), value.clone());
                }
            }
        }
    }

    /// Headers that the client's `connection` header nominates end at the router (RFC 9110, section 7.6.1).
    fn may_pass(&self, client: &HeaderMap, name: &HeaderName) -> bool {
        !is_forbidden(name)
            && !self.set_by_rules.contains(&*with_dashes(name.as_str()))
            && !is_nominated(client, name)
    }
}

fn rules(list: &[HeaderRule]) -> impl Iterator<Item = Rule> {
    list.iter().filter_map(Rule::new)
}

impl Rule {
    fn new(config: &HeaderRule) -> Option<Self> {
        let name = |text: &str| text.parse::<HeaderName>().ok();
        let value = |text: &str| HeaderValue::from_str(text).ok();
        Some(match config {
            HeaderRule::Propagate(rule) => Self::Propagate {
                name: Pattern::new(&rule.name)?,
                rename: rule.rename.as_deref().and_then(name),
                default: rule.default.as_deref().and_then(value),
            },
            HeaderRule::Insert(rule) => Self::Insert {
                name: name(&rule.name)?,
                value: match (&rule.value, &rule.claim) {
                    (Some(text), _) => Inserted::Value(value(text)?),
                    (None, claim) => Inserted::Claim(claim.clone()?),
                },
            },
            HeaderRule::Remove(name) => Self::Remove(Pattern::new(name)?),
        })
    }

    fn sets(&self) -> Option<&HeaderName> {
        match self {
            Self::Insert { name, .. } => Some(name),
            Self::Propagate { .. } | Self::Remove(_) => None,
        }
    }
}

impl Pattern {
    fn new(text: &str) -> Option<Self> {
        Some(match text.strip_suffix('*') {
            Some(prefix) => Self::Prefix(prefix.to_ascii_lowercase()),
            None => Self::Name(text.parse().ok()?),
        })
    }

    fn exact(&self) -> Option<&HeaderName> {
        match self {
            Self::Name(name) => Some(name),
            Self::Prefix(_) => None,
        }
    }
}

impl Inserted {
    fn of(&self, caller: &Caller) -> Option<HeaderValue> {
        match self {
            Self::Value(value) => Some(value.clone()),
            Self::Claim(name) => HeaderValue::try_from(text(caller.token()?.claims.get(name)?)?).ok(),
        }
    }
}

fn text(claim: &Value) -> Option<String> {
    match claim {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(boolean) => Some(boolean.to_string()),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().filter_map(Value::as_str).collect();
            Some(items.join(" "))
        }
        Value::Null | Value::Object(_) => None,
    }
}

fn remove(pattern: &Pattern, headers: &mut HeaderMap) {
    match pattern {
        Pattern::Name(name) => {
            headers.remove(name);
        }
        Pattern::Prefix(prefix) => {
            let matching = headers.keys().filter(|name| name.as_str().starts_with(prefix));
            for name in matching.cloned().collect::<Vec<_>>() {
                headers.remove(name);
            }
        }
    }
}
