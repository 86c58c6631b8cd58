//! The abuse matrix of the router and of what stands behind it: each row an attack that must fail safely.
//!
//! - [`accounts`]: guessing, enumeration, tokens that outlive what they stand for
//! - [`oauth`]: outside sign-in, tampered with
//! - [`tokens`]: access tokens that nobody should believe
//! - [`direct_calls`]: calls that go around the router
//! - [`escalation`]: mutations and queries beyond the caller's scopes
//! - [`other_users`]: other people's things, by every path
//! - [`lab`]: keys of the attacker and of an issuer that the router trusts

#![allow(clippy::unwrap_used, reason = "for tests: what is wrong fails them")]

pub mod accounts;
pub mod direct_calls;
pub mod escalation;
pub mod lab;
pub mod oauth;
pub mod other_users;
pub mod tokens;

use std::collections::BTreeMap;

use reqwest::RequestBuilder;
use serde_json::Value;

use crate::client::Answer;

/// One attack and what came of it.
#[derive(Debug)]
pub struct Row {
    /// Which table it belongs to.
    pub table: &'static str,
    /// What was tried.
    pub attack: String,
    /// What went wrong for us; `None` where the attack failed.
    pub breach: Option<String>,
}

/// All attacks so far.
#[derive(Debug, Default)]
pub struct Matrix(Vec<Row>);

impl Matrix {
    /// Notes one attack; `held` says whether it failed as it should, `answer` what it got.
    pub fn note(&mut self, table: &'static str, attack: impl Into<String>, held: bool, answer: &Answer) {
        self.0.push(Row {
            table,
            attack: attack.into(),
            breach: (!held).then(|| format!("HTTP {}: {}", answer.status, answer.body)),
        });
    }

    /// The size of each table, its result, and every breach.
    pub fn report(&self) -> String {
        let mut tables: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for row in &self.0 {
            let (all, held) = tables.entry(row.table).or_default();
            *all += 1;
            *held += usize::from(row.breach.is_none());
        }
        let mut text = format!(
            "abuse matrix: {} attacks, {} breaches\n",
            self.0.len(),
            self.breaches()
        );
        for (table, (all, held)) in tables {
            text += &format!("  {table:<28} {held:>4} of {all:>4} failed safely\n");
        }
        for row in &self.0 {
            if let Some(breach) = &row.breach {
                text += &format!("  BREACH {} / {}: {breach}\n", row.table, row.attack);
            }
        }
        text
    }

    /// How many attacks succeeded.
    pub fn breaches(&self) -> usize {
        self.0.iter().filter(|row| row.breach.is_some()).count()
    }

    /// How many attacks there were.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was tried.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Sends a request and reads the answer.
pub async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let status = response.status();
    let body = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or(Value::Null);
    Answer { status, body }
}
