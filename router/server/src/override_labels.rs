//! Decides for each request which progressive `@override`s are in force: a share of the callers, or those a rule names.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use fondaco_planner::OverrideLabels;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::auth::Caller;
use crate::config::RouterConfig;

/// How each label of a supergraph is decided.
#[derive(Debug, Default)]
pub struct OverrideRules(Vec<(Arc<str>, Rule)>);

#[derive(Debug)]
enum Rule {
    /// For this share of the requests, out of 100.
    Percent(f64),
    /// For requests with the header, or with this value of it.
    Header(HeaderName, Option<HeaderValue>),
}

impl OverrideRules {
    /// Rules for the labels of a supergraph: `percent(N)` speaks for itself, others are configured. A label without a
    /// rule is never active.
    pub fn new(labels: &[Arc<str>], config: &RouterConfig) -> Self {
        let mut rules = Vec::new();
        for label in labels {
            match share(label)
                .map(Rule::Percent)
                .or_else(|| configured(label, config))
            {
                Some(rule) => rules.push((Arc::clone(label), rule)),
                None => {
                    tracing::warn!(label = %label, "no router.override_labels for the label: it is never active");
                }
            }
        }
        Self(rules)
    }

    /// The labels active for a request. All shares are measured against one draw, so that few combinations of labels, and
    /// plans for them, arise. Callers who are signed in always draw the same.
    pub fn decide(&self, headers: &HeaderMap, caller: &Caller) -> OverrideLabels {
        if self.0.is_empty() {
            return OverrideLabels::default();
        }
        let drawn = draw(caller);
        let is_active = |rule: &Rule| match rule {
            Rule::Percent(share) => drawn < *share,
            Rule::Header(name, None) => headers.contains_key(name),
            Rule::Header(name, Some(value)) => headers.get_all(name).iter().any(|sent| sent == value),
        };
        let active = self.0.iter().filter(|(_, rule)| is_active(rule));
        active.map(|(label, _)| Arc::clone(label)).collect()
    }
}

/// The share that a label like `percent(12.5)` names.
fn share(label: &str) -> Option<f64> {
    label.strip_prefix("percent(")?.strip_suffix(')')?.parse().ok()
}

fn configured(label: &str, config: &RouterConfig) -> Option<Rule> {
    let rule = config.override_labels.get(label)?;
    if let Some(percent) = rule.percent {
        return Some(Rule::Percent(percent));
    }
    let name = rule.header.as_ref()?.parse().ok()?;
    let value = rule.value.as_ref().and_then(|value| value.parse().ok());
    Some(Rule::Header(name, value))
}

/// A number from 0 to 100, without 100.
fn draw(caller: &Caller) -> f64 {
    let subject = caller.token().and_then(|token| token.claims.sub.as_deref());
    let Some(subject) = subject else {
        return rand::random::<f64>() * 100.0;
    };
    let mut hasher = DefaultHasher::new();
    subject.hash(&mut hasher);
    (hasher.finish() % 10_000) as f64 / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(labels: &[&str], config: &str) -> OverrideRules {
        let labels: Vec<Arc<str>> = labels.iter().map(|label| Arc::from(*label)).collect();
        OverrideRules::new(&labels, &RouterConfig::from_yaml(config).unwrap())
    }

    fn active(rules: &OverrideRules, headers: &[(&'static str, &'static str)]) -> Vec<String> {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        let labels = rules.decide(&headers, &Caller::anonymous());
        labels.iter().map(str::to_owned).collect()
    }

    #[test]
    fn shares_and_rules() {
        let rules = rules(
            &["all", "none", "beta", "any", "unknown", "percent(100)", "percent(0)"],
            "override_labels: { all: { percent: 100 }, none: { percent: 0 }, beta: { header: x-beta, value: 'on' },
              any: { header: x-any } }",
        );
        assert_eq!(active(&rules, &[]), ["all", "percent(100)"]);
        assert_eq!(
            active(&rules, &[("x-beta", "off"), ("x-any", "")]),
            ["all", "any", "percent(100)"]
        );
        assert_eq!(
            active(&rules, &[("x-beta", "on")]),
            ["all", "beta", "percent(100)"]
        );
    }

    #[test]
    fn a_share_is_about_as_large_as_it_says() {
        let rules = rules(&["percent(30)"], "{}");
        let hits = (0..2_000).filter(|_| !active(&rules, &[]).is_empty()).count();
        assert!((450..750).contains(&hits), "{hits} of 2000");
    }
}
