//! The requests, and what of the answers is needed.

use std::{collections::HashMap, time::Duration};

use fondaco_contracts::{OrderId, RefundId};
use reqwest::{Client, Method, StatusCode, header};
use serde::{Deserialize, de::DeserializeOwned};
use thiserror::Error;

use crate::{
    config::StripeConfig,
    provider::{ChargeRequest, RefundRequest},
};

/// The version of the interface that this is written for.
const VERSION: &str = "2025-03-31.basil";

/// Why there is no answer. What was asked for may have happened.
#[derive(Debug, Error)]
pub enum ApiError {
    /// No connection, no answer in time, or half of one.
    #[error("the provider cannot be reached: {0}")]
    Transport(#[from] reqwest::Error),
    /// The key cannot be sent.
    #[error("payment.stripe.secret_key is not a key")]
    Key,
    /// The provider is in trouble, or does not let us in.
    #[error("the provider answers {status}")]
    Status {
        /// Its HTTP status.
        status: StatusCode,
    },
    /// The answer is not of the interface.
    #[error("the provider's answer cannot be read: {0}")]
    Body(#[from] serde_json::Error),
}

/// The provider understood, and did not do it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its reason, such as `card_declined`.
    pub code: String,
}

/// A payment as the provider has it.
#[derive(Clone, Debug, Deserialize)]
pub struct Intent {
    /// Its name.
    pub id: String,
    /// Where it stands.
    pub status: String,
    next_action: Option<NextAction>,
    last_payment_error: Option<Failure>,
}

#[derive(Clone, Debug, Deserialize)]
struct NextAction {
    redirect_to_url: Option<Redirect>,
}

#[derive(Clone, Debug, Deserialize)]
struct Redirect {
    url: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct Failure {
    code: Option<String>,
    decline_code: Option<String>,
}

impl Failure {
    fn reason(&self) -> String {
        let reason = self.decline_code.as_ref().or(self.code.as_ref());
        reason.cloned().unwrap_or_else(|| "declined".to_owned())
    }
}

impl Intent {
    /// The customer's means of payment was handed over.
    pub fn is_confirmed(&self) -> bool {
        let waits = ["requires_confirmation", "requires_payment_method"].contains(&self.status.as_str());
        !waits || self.last_payment_error.is_some()
    }

    /// Where the customer confirms it.
    pub fn action_url(&self) -> String {
        let redirect = self
            .next_action
            .as_ref()
            .and_then(|next| next.redirect_to_url.as_ref());
        redirect
            .and_then(|redirect| redirect.url.clone())
            .unwrap_or_default()
    }

    /// Why it was declined.
    pub fn decline_code(&self) -> String {
        let failure = self.last_payment_error.as_ref();
        failure.map_or_else(|| "declined".to_owned(), Failure::reason)
    }
}

/// A refund as the provider has it.
#[derive(Clone, Debug, Deserialize)]
pub struct Refund {
    /// Where it stands.
    pub status: String,
    #[serde(default)]
    metadata: HashMap<String, String>,
}

impl Refund {
    /// Is it this one?
    pub fn is(&self, refund: RefundId) -> bool {
        self.metadata.get("refund_id") == Some(&refund.to_string())
    }

    /// The money is given back, or will be.
    pub fn is_on_its_way(&self) -> bool {
        ["succeeded", "pending"].contains(&self.status.as_str())
    }
}

#[derive(Deserialize)]
struct List<T> {
    data: Vec<T>,
}

#[derive(Deserialize)]
struct ErrorBody {
    error: Failure,
}

/// The account.
#[derive(Clone, Debug)]
pub struct Api {
    client: Client,
    url: String,
}

impl Api {
    /// A client that waits no longer than `timeout` for an answer.
    pub fn new(config: &StripeConfig, timeout: Duration) -> Result<Self, ApiError> {
        let mut headers = header::HeaderMap::new();
        let key = config.secret_key.as_deref().unwrap_or_default();
        let mut authorization =
            header::HeaderValue::from_str(&format!("Bearer {key}")).map_err(|_| ApiError::Key)?;
        authorization.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, authorization);
        headers.insert("stripe-version", header::HeaderValue::from_static(VERSION));
        let client = Client::builder()
            .default_headers(headers)
            .timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self {
            client,
            url: config.url.trim_end_matches('/').to_owned(),
        })
    }

    /// Makes an intent; no money moves.
    pub async fn create(&self, request: &ChargeRequest) -> Result<Result<Intent, Refused>, ApiError> {
        let order = request.order.to_string();
        let method = if request.capture { "automatic" } else { "manual" };
        let currency = request.amount.currency.as_str().to_ascii_lowercase();
        let fields = [
            ("amount", request.amount.minor_units().to_string()),
            ("currency", currency),
            ("capture_method", method.to_owned()),
            ("payment_method_types[]", "card".to_owned()),
            ("metadata[order_id]", order.clone()),
        ];
        self.post("/v1/payment_intents", &order, &fields).await
    }

    /// Hands the customer's means of payment over: money may move.
    pub async fn confirm(
        &self,
        name: &str,
        request: &ChargeRequest,
    ) -> Result<Result<Intent, Refused>, ApiError> {
        let path = format!("/v1/payment_intents/{name}/confirm");
        let fields = [("payment_method", request.token.clone())];
        self.post(&path, &format!("{}-confirm", request.order), &fields)
            .await
    }

    /// Takes what was set aside.
    pub async fn capture(&self, name: &str, order: OrderId) -> Result<Result<Intent, Refused>, ApiError> {
        let path = format!("/v1/payment_intents/{name}/capture");
        self.post(&path, &format!("{order}-capture"), &[]).await
    }

    /// Lets go what was set aside.
    pub async fn cancel(&self, name: &str, order: OrderId) -> Result<Result<Intent, Refused>, ApiError> {
        let path = format!("/v1/payment_intents/{name}/cancel");
        self.post(&path, &format!("{order}-cancel"), &[]).await
    }

    /// An intent as it stands.
    pub async fn read(&self, name: &str) -> Result<Intent, ApiError> {
        self.get(&format!("/v1/payment_intents/{name}")).await
    }

    /// Gives money back.
    pub async fn refund(
        &self,
        name: &str,
        request: &RefundRequest,
    ) -> Result<Result<Refund, Refused>, ApiError> {
        let fields = [
            ("payment_intent", name.to_owned()),
            ("amount", request.amount.minor_units().to_string()),
            ("metadata[refund_id]", request.refund.to_string()),
        ];
        self.post("/v1/refunds", &format!("refund-{}", request.refund), &fields)
            .await
    }

    /// The refunds of an intent; an order has fewer than the hundred that fit in an answer.
    pub async fn refunds(&self, name: &str) -> Result<Vec<Refund>, ApiError> {
        let list: List<Refund> = self
            .get(&format!("/v1/refunds?limit=100&payment_intent={name}"))
            .await?;
        Ok(list.data)
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        let answer = self.client.get(format!("{}{path}", self.url)).send().await?;
        if !answer.status().is_success() {
            return Err(ApiError::Status {
                status: answer.status(),
            });
        }
        Ok(serde_json::from_slice(&answer.bytes().await?)?)
    }

    async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        idempotency_key: &str,
        fields: &[(&str, String)],
    ) -> Result<Result<T, Refused>, ApiError> {
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let answer = self
            .client
            .request(Method::POST, format!("{}{path}", self.url))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("idempotency-key", idempotency_key)
            .body(form)
            .send()
            .await?;
        let status = answer.status();
        let body = answer.bytes().await?;
        match status {
            _ if status.is_success() => Ok(Ok(serde_json::from_slice(&body)?)),
            // Understood, and not done. 409 is not among them: the same call is still under way.
            StatusCode::BAD_REQUEST | StatusCode::PAYMENT_REQUIRED | StatusCode::NOT_FOUND => {
                let ErrorBody { error } = serde_json::from_slice(&body)?;
                Ok(Err(Refused { code: error.reason() }))
            }
            _ => Err(ApiError::Status { status }),
        }
    }
}
