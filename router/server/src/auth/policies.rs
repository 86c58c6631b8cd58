//! Decides about the policies of `@policy`, once per request: by rules of the configuration, or by asking a service.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Caller;
use super::claims::Claims;
use crate::config::{CoprocessorConfig, PoliciesConfig, PolicyCondition};
use crate::outbound;

/// The policies granted to the caller of one request.
#[derive(Debug, Clone, Default)]
pub struct Granted(Vec<String>);

impl Granted {
    /// Whether the policy was granted.
    pub fn has(&self, policy: &str) -> bool {
        self.0.iter().any(|granted| granted == policy)
    }
}

/// Who decides.
pub struct Policies {
    rules: BTreeMap<String, Vec<PolicyCondition>>,
    coprocessor: Option<Coprocessor>,
}

struct Coprocessor {
    url: String,
    http: reqwest::Client,
}

/// Largest answer of a coprocessor, in bytes.
const LARGEST_ANSWER: usize = 256 * 1024;

impl Policies {
    /// Decides by this configuration.
    pub fn new(config: &PoliciesConfig) -> Self {
        Self {
            rules: config.rules.clone(),
            coprocessor: config.coprocessor.as_ref().map(Coprocessor::new),
        }
    }

    /// Which of the policies the caller is granted. Those nobody decides about are not.
    pub async fn decide(&self, policies: &[String], caller: &Caller) -> Granted {
        let mut granted = Vec::new();
        let mut undecided = Vec::new();
        for policy in policies {
            match self.rules.get(policy) {
                Some(conditions) if conditions.iter().any(|one| holds(one, caller)) => {
                    granted.push(policy.clone());
                }
                Some(_) => {}
                None => undecided.push(policy.as_str()),
            }
        }
        if let Some(coprocessor) = self.coprocessor.as_ref().filter(|_| !undecided.is_empty()) {
            granted.extend(coprocessor.decide(&undecided, caller).await);
        }
        Granted(granted)
    }
}

fn holds(condition: &PolicyCondition, caller: &Caller) -> bool {
    let Some(token) = caller.token() else {
        return false;
    };
    let claims = &token.claims;
    condition.roles.iter().all(|role| claims.has_role(role))
        && condition.scopes.iter().all(|scope| claims.has_scope(scope))
        && condition
            .claims
            .iter()
            .all(|(name, value)| has_value(claims.get(name), value))
}

fn has_value(claim: Option<&Value>, value: &str) -> bool {
    match claim {
        Some(Value::String(text)) => text == value,
        Some(Value::Bool(boolean)) => boolean.to_string() == value,
        Some(Value::Number(number)) => number.to_string() == value,
        Some(Value::Array(items)) => items.iter().any(|item| item.as_str() == Some(value)),
        _ => false,
    }
}

/// What the coprocessor is asked.
#[derive(Serialize)]
struct Question<'a> {
    policies: &'a [&'a str],
    caller: Option<Subject<'a>>,
}

#[derive(Serialize)]
struct Subject<'a> {
    sub: Option<&'a str>,
    roles: &'a [String],
    scope: String,
    claims: &'a Map<String, Value>,
}

impl<'a> Subject<'a> {
    fn new(claims: &'a Claims) -> Self {
        Self {
            sub: claims.sub.as_deref(),
            roles: &claims.roles,
            scope: claims.scope.join(" "),
            claims: &claims.all,
        }
    }
}

#[derive(Deserialize)]
struct Decision {
    granted: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
enum CoprocessorError {
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    #[error("not a decision: {0}")]
    Syntax(#[from] serde_json::Error),
}

impl Coprocessor {
    fn new(config: &CoprocessorConfig) -> Self {
        Self {
            url: config.url.clone(),
            http: outbound::client(Duration::from_millis(config.timeout_ms)),
        }
    }

    /// Without an answer nothing is granted. What was not asked about is not granted either.
    async fn decide(&self, policies: &[&str], caller: &Caller) -> Vec<String> {
        let question = Question {
            policies,
            caller: caller.token().map(|token| Subject::new(&token.claims)),
        };
        match self.ask(&question).await {
            Ok(decision) => {
                let asked = |policy: &String| policies.contains(&policy.as_str());
                decision.granted.into_iter().filter(asked).collect()
            }
            Err(error) => {
                tracing::warn!(error = %error, "the coprocessor did not decide about policies; none is granted");
                Vec::new()
            }
        }
    }

    async fn ask(&self, question: &Question<'_>) -> Result<Decision, CoprocessorError> {
        let response = self.http.post(&self.url).json(question).send().await?;
        let body = outbound::body(response, LARGEST_ANSWER).await?;
        Ok(serde_json::from_slice(&body)?)
    }
}
