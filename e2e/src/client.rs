//! A GraphQL client over HTTP.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};

/// An answer: HTTP status and JSON body (`null` where the body is no JSON).
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// Parsed body.
    pub body: Value,
}

impl Answer {
    /// `data` of the body.
    pub fn data(&self) -> &Value {
        &self.body["data"]
    }

    /// `errors` of the body, empty where there are none.
    pub fn errors(&self) -> &[Value] {
        self.body["errors"].as_array().map_or(&[], Vec::as_slice)
    }

    /// `data` of an answer that must have no errors.
    ///
    /// # Panics
    /// When there are errors or no data.
    #[track_caller]
    pub fn expect_data(&self) -> &Value {
        let clean = self.errors().is_empty() && !self.data().is_null();
        assert!(
            clean,
            "expected data without errors, got HTTP {}: {}",
            self.status, self.body
        );
        self.data()
    }

    /// `extensions.code` of the first error, or the empty string.
    pub fn error_code(&self) -> &str {
        self.errors()
            .first()
            .and_then(|error| error["extensions"]["code"].as_str())
            .unwrap_or_default()
    }
}

/// Talks to one GraphQL endpoint, optionally as a signed-in user.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    token: Option<String>,
}

impl Client {
    /// A client for the endpoint `url`.
    pub fn new(url: impl Into<String>) -> Self {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(60))
            .build();
        Self {
            http: http.expect("the client needs no external resources"),
            url: url.into(),
            token: None,
        }
    }

    /// The same client with an access token.
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    /// POSTs a query with variables.
    pub async fn query(&self, query: &str, variables: Value) -> reqwest::Result<Answer> {
        self.post(json!({ "query": query, "variables": variables }).to_string())
            .await
    }

    /// POSTs any body as `application/json`.
    pub async fn post(&self, body: impl Into<reqwest::Body>) -> reqwest::Result<Answer> {
        let mut request = self.http.post(&self.url).body(body);
        request = request
            .header("content-type", "application/json")
            .header("accept", "application/json");
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await?;
        let status = response.status();
        let body = serde_json::from_slice(&response.bytes().await?).unwrap_or(Value::Null);
        Ok(Answer { status, body })
    }
}
