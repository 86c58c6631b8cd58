//! Webhooks: the provider tells that something happened to a payment.
//!
//! A webhook is believed to that extent only: it is signed, fresh and new, so the provider is asked about the payment that it names. In
//! which order webhooks arrive, how often and whether at all changes nothing about where a payment ends, only how soon.

use std::sync::Arc;

use aws_lc_rs::hmac;
use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode},
    routing::post,
};
use fondaco_chassis::Clock;
use fondaco_contracts::OrderId;
use serde::Deserialize;
use thiserror::Error;

use crate::{charge::Charges, store::Store};

/// Where the provider sends them.
pub const PATH: &str = "/webhooks/stripe";
/// A webhook signed earlier, or later, is refused.
const TOLERANCE_SECONDS: u64 = 300;
const MAX_BODY_BYTES: usize = 256 * 1024;
const SIGNATURE: &str = "stripe-signature";

/// Why a webhook is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// There is no signature, or none that can be read.
    #[error("the signature cannot be read")]
    Unsigned,
    /// Somebody else signed it, or something else.
    #[error("the signature is wrong")]
    Forged,
    /// It is too old, or of the future.
    #[error("the signature is not of the last five minutes")]
    Stale,
}

/// Takes webhooks signed with `secret`; how old they are is judged by `clock`.
pub fn router(charges: Arc<Charges>, store: Store, secret: &str, clock: Clock) -> Router {
    let receiver = Receiver {
        charges,
        store,
        clock,
        key: Arc::new(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes())),
    };
    Router::new()
        .route(PATH, post(receive))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(receiver)
}

#[derive(Clone)]
struct Receiver {
    charges: Arc<Charges>,
    store: Store,
    clock: Clock,
    key: Arc<hmac::Key>,
}

#[derive(Deserialize)]
struct Webhook {
    id: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    object: Subject,
}

/// A payment intent, or what belongs to one.
#[derive(Deserialize)]
struct Subject {
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
struct Metadata {
    order_id: Option<String>,
}

/// Anything but 200 makes the provider try again later.
async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let signature = headers.get(SIGNATURE).and_then(|value| value.to_str().ok());
    if let Err(refusal) = verify(
        &receiver.key,
        signature.unwrap_or_default(),
        &body,
        receiver.clock.seconds(),
    ) {
        tracing::warn!(error.cause = %refusal, "a webhook is refused");
        return StatusCode::BAD_REQUEST;
    }
    let Ok(webhook) = serde_json::from_slice::<Webhook>(&body) else {
        return StatusCode::BAD_REQUEST;
    };
    match receiver.act(&webhook).await {
        Ok(()) => StatusCode::OK,
        Err(error) => {
            tracing::warn!(webhook.id, error.cause = %error, "a webhook must be sent again");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

impl Receiver {
    async fn act(&self, webhook: &Webhook) -> Result<(), crate::store::StoreError> {
        if self.store.knows_webhook(&webhook.id).await? {
            return Ok(());
        }
        // Payments made elsewhere with the same account are no business of ours.
        let order: Option<OrderId> = webhook
            .data
            .object
            .metadata
            .order_id
            .as_deref()
            .and_then(|id| id.parse().ok());
        if let Some(order) = order {
            self.charges.refresh(order).await?;
        }
        self.store.webhook_done(&webhook.id).await
    }
}

/// Checks a header `t=SECONDS,v1=HEX[,v1=HEX…]` over `SECONDS.BODY`; more than one signature while a secret is replaced.
pub fn verify(key: &hmac::Key, signature: &str, body: &[u8], now: u64) -> Result<(), Refusal> {
    let parts = || {
        signature
            .split(',')
            .filter_map(|part| part.trim().split_once('='))
    };
    let stamp = parts().find(|(name, _)| *name == "t").map(|(_, stamp)| stamp);
    let stamp = stamp.ok_or(Refusal::Unsigned)?;
    let signed_at: u64 = stamp.parse().map_err(|_| Refusal::Unsigned)?;
    let mut message = format!("{stamp}.").into_bytes();
    message.extend_from_slice(body);
    let mut signatures = parts().filter(|(name, _)| *name == "v1").map(|(_, hex)| hex);
    let is_ours =
        signatures.any(|hex| decode(hex).is_some_and(|tag| hmac::verify(key, &message, &tag).is_ok()));
    if !is_ours {
        return Err(Refusal::Forged);
    }
    if signed_at.abs_diff(now) > TOLERANCE_SECONDS {
        return Err(Refusal::Stale);
    }
    Ok(())
}

fn decode(hex: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = hex
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let digits = digits?;
    (digits.len() % 2 == 0).then(|| digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::hmac;

    use super::{Refusal, verify};

    fn sign(secret: &str, at: u64, body: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let tag = hmac::sign(&key, format!("{at}.{body}").as_bytes());
        tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn signatures() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"whsec");
        let check = |header: &str, now: u64, expected: Result<(), Refusal>| {
            assert_eq!(verify(&key, header, b"{}", now), expected, "{header} at {now}");
        };
        let good = sign("whsec", 1_000, "{}");
        check(&format!("t=1000,v1={good}"), 1_000, Ok(()));
        check(&format!("t=1000,v1={good}"), 1_300, Ok(()));
        check(&format!("t=1000,v1={good}"), 1_301, Err(Refusal::Stale));
        check(&format!("t=1000,v1={good}"), 699, Err(Refusal::Stale));
        check(&format!("t=1000,v1=00,v0=1,v1={good}"), 1_000, Ok(()));
        check(&format!("t=1001,v1={good}"), 1_000, Err(Refusal::Forged));
        check(
            &format!("t=1000,v1={}", sign("other", 1_000, "{}")),
            1_000,
            Err(Refusal::Forged),
        );
        check(
            &format!("t=1000,v1={}", sign("whsec", 1_000, "{ }")),
            1_000,
            Err(Refusal::Forged),
        );
        check("t=1000,v1=zz", 1_000, Err(Refusal::Forged));
        check(&format!("v1={good}"), 1_000, Err(Refusal::Unsigned));
        check(&format!("t=now,v1={good}"), 1_000, Err(Refusal::Unsigned));
        check("", 1_000, Err(Refusal::Unsigned));
    }
}
