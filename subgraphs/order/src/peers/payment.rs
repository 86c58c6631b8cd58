//! The payment service. The order id is the idempotency key of everything asked of it, so every call may be repeated.

use std::time::Duration;

use fondaco_chassis::{CallError, Repeat, Runtime, ServiceClient};
use fondaco_contracts::{Money, OrderId, UserId};
use serde::Deserialize;
use serde_json::json;

/// Longer than payment waits for its provider, so that it is payment that answers "unknown".
const CHARGE_DEADLINE: Duration = Duration::from_secs(8);

/// What is known about an order's money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Charge {
    /// It is taken.
    Captured,
    /// It is not, and will not be; with the provider's reason.
    Declined(String),
    /// It may be taken or not: ask again later.
    Unknown,
}

/// What became of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Refund {
    /// The money was given back.
    Refunded,
    /// No money was taken, and none will be: a charge that arrives later is declined.
    NotCharged,
    /// Ask again later.
    Unknown,
}

/// The payment service.
#[derive(Clone, Debug)]
pub struct Payment {
    client: ServiceClient,
}

impl Payment {
    /// Reached through the runtime's peers.
    pub fn new(runtime: &Runtime) -> Self {
        Self {
            client: ServiceClient::new(runtime, "order", "payment").with_deadline(CHARGE_DEADLINE),
        }
    }

    /// Charges the customer, once per order. An answer that does not arrive is an unknown outcome, never a failed one.
    pub async fn charge(
        &self,
        order: OrderId,
        customer: UserId,
        amount: Money,
        token: &str,
    ) -> Result<Charge, CallError> {
        const CHARGE: &str =
            "mutation Charge($input: ChargeInput!) { charge(input: $input) { outcome declineCode } }";
        let input = json!({
            "orderId": order, "customerId": customer, "token": token,
            "amount": amount.minor_units(), "currency": amount.currency,
        });
        let data: ChargeData = self
            .client
            .call(CHARGE, &json!({ "input": input }), Repeat::Safe)
            .await?;
        Ok(data.charge.into())
    }

    /// What became of an order's charge. None when payment never heard of it.
    pub async fn charge_outcome(&self, order: OrderId) -> Result<Option<Charge>, CallError> {
        const OUTCOME: &str =
            "query ChargeOutcome($id: ID!) { chargeOutcome(orderId: $id) { outcome declineCode } }";
        let data: OutcomeData = self
            .client
            .call(OUTCOME, &json!({ "id": order }), Repeat::Safe)
            .await?;
        Ok(data.charge_outcome.map(Charge::from))
    }

    /// Makes sure that no money is kept for an order, now or later.
    pub async fn refund(&self, order: OrderId) -> Result<Refund, CallError> {
        const REFUND: &str = "mutation Refund($id: ID!) { refund(orderId: $id) { outcome } }";
        let data: RefundData = self
            .client
            .call(REFUND, &json!({ "id": order }), Repeat::Safe)
            .await?;
        Ok(data.refund.outcome)
    }
}

#[derive(Deserialize)]
struct ChargeData {
    charge: ChargePayload,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OutcomeData {
    charge_outcome: Option<ChargePayload>,
}

#[derive(Deserialize)]
struct RefundData {
    refund: RefundPayload,
}

#[derive(Deserialize)]
struct RefundPayload {
    outcome: Refund,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ChargePayload {
    outcome: ChargeOutcome,
    decline_code: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum ChargeOutcome {
    Captured,
    Declined,
    Unknown,
}

impl From<ChargePayload> for Charge {
    fn from(payload: ChargePayload) -> Self {
        match payload.outcome {
            ChargeOutcome::Captured => Self::Captured,
            ChargeOutcome::Declined => {
                Self::Declined(payload.decline_code.unwrap_or_else(|| "declined".to_owned()))
            }
            ChargeOutcome::Unknown => Self::Unknown,
        }
    }
}
