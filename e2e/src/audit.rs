//! The public federation audit (`graphql-hive/federation-gateway-audit`) against `fondaco router`.
//!
//! The audit's server serves suites: subgraphs that run, a supergraph composed from them, and queries with the
//! answers a correct gateway gives. Stages for one suite: obtain the supergraph ([`supergraph`]), start a router on
//! it, ask every query and compare ([`compare`]).

pub mod compare;
pub mod supergraph;

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::client::Client;
use crate::port::free_address;
use crate::program::{Program, ProgramError};
use crate::scratch::Scratch;

/// Where the supergraph of a suite comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The one the audit's server serves.
    Served,
    /// The one `fondaco compose` makes of the subgraphs the audit's server serves.
    Composed,
}

/// Why a suite, or one of its cases, could not be judged.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The audit's server or the router did not answer.
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    /// The router did not start.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// A file could not be written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// `fondaco compose` refused the subgraphs.
    #[error("composition failed:\n{0}")]
    Composition(String),
}

/// One query and what a correct gateway answers.
#[derive(Debug, Clone, Deserialize)]
pub struct Case {
    /// The operation.
    pub query: String,
    /// The answer.
    pub expected: Expected,
}

/// An expected answer.
#[derive(Debug, Clone, Deserialize)]
pub struct Expected {
    /// `data`; absent means `null`.
    #[serde(default)]
    pub data: Value,
    /// Whether there must be errors, or must be none; absent means that it does not matter.
    pub errors: Option<bool>,
}

/// What became of one case: `Err` carries an explanation for people.
pub type Verdict = Result<(), String>;

/// The audit's server.
#[derive(Debug, Clone)]
pub struct Audit {
    http: reqwest::Client,
    url: String,
}

impl Audit {
    /// The audit served at `url`.
    pub fn new(url: &str) -> Self {
        Self {
            http: reqwest::Client::new(),
            url: url.trim_end_matches('/').to_owned(),
        }
    }

    /// Names of all suites.
    pub async fn suites(&self) -> Result<Vec<String>, AuditError> {
        self.get("ids").await
    }

    /// Runs one suite and returns a verdict for each of its cases.
    pub async fn run(&self, suite: &str, source: Source) -> Result<Vec<Verdict>, AuditError> {
        let cases: Vec<Case> = self.get(&format!("{suite}/tests")).await?;
        let folder = Scratch::new("audit")?;
        let mut verdicts = Vec::with_capacity(cases.len());
        match self.start_router(suite, source, &folder).await {
            Ok((_router, client)) => {
                for case in &cases {
                    verdicts.push(judge(&client, case).await);
                }
            }
            // A graph that cannot be served fails each of its cases.
            Err(error) => verdicts.extend(cases.iter().map(|_| Err(error.to_string()))),
        }
        Ok(verdicts)
    }

    async fn start_router(
        &self,
        suite: &str,
        source: Source,
        folder: &Scratch,
    ) -> Result<(Program, Client), AuditError> {
        let supergraph = match source {
            Source::Served => supergraph::served(self, suite, folder).await?,
            Source::Composed => supergraph::composed(self, suite, folder).await?,
        };
        let listen = free_address();
        let args = [
            "router",
            "--supergraph",
            &supergraph.to_string_lossy(),
            "--listen",
            &listen,
        ];
        let mut router = Program::start("router", folder.path(), &args, &[])?;
        router
            .ready(&format!("http://{listen}/ready"), Duration::from_secs(20))
            .await?;
        Ok((router, Client::new(format!("http://{listen}/graphql"))))
    }

    async fn get<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T, AuditError> {
        Ok(self.text(path).await?.json().await?)
    }

    async fn text(&self, path: &str) -> Result<reqwest::Response, AuditError> {
        Ok(self
            .http
            .get(format!("{}/{path}", self.url))
            .send()
            .await?
            .error_for_status()?)
    }
}

async fn judge(client: &Client, case: &Case) -> Verdict {
    match client
        .post(serde_json::json!({ "query": case.query }).to_string())
        .await
    {
        Ok(answer) => compare::compare(&case.expected, &answer.body),
        Err(error) => Err(error.to_string()),
    }
    .map_err(|explanation| format!("{}\n{explanation}", case.query.trim()))
}
