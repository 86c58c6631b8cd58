//! The payment service. The order id is the idempotency key of everything asked of it, so every call may be repeated.

use std::time::Duration;

use fondaco_chassis::{CallError, Repeat, Runtime, ServiceClient};
use fondaco_contracts::{Money, OrderId, RefundId, UserId};
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
    /// It is set aside, to be taken by a second step.
    Authorized,
    /// The customer must confirm the payment first.
    ConfirmationRequired,
    /// It may be taken or not: ask again later.
    Unknown,
}

/// What became of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Refunded {
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

    /// Charges the customer, or sets the money aside, once per order. An answer that does not arrive is an unknown outcome, never a failed one.
    pub async fn charge(
        &self,
        order: OrderId,
        customer: UserId,
        amount: Money,
        token: &str,
        capture: bool,
    ) -> Result<Charge, CallError> {
        const CHARGE: &str =
            "mutation Charge($input: ChargeInput!) { charge(input: $input) { outcome declineCode } }";
        let input = json!({
            "orderId": order, "customerId": customer, "token": token,
            "amount": amount.minor_units(), "currency": amount.currency, "capture": capture,
        });
        let data: ChargeData = self
            .client
            .call(CHARGE, &json!({ "input": input }), Repeat::Safe)
            .await?;
        Ok(data.charge.into())
    }

    /// Completes a payment that waits for its second step. None when payment never heard of it.
    pub async fn complete(&self, order: OrderId, confirmation: &str) -> Result<Option<Charge>, CallError> {
        const COMPLETE: &str = "mutation Complete($id: ID!, $confirmation: String!) { \
            completeCharge(orderId: $id, confirmation: $confirmation) { outcome declineCode } }";
        let variables = json!({ "id": order, "confirmation": confirmation });
        let data: CompleteData = self.client.call(COMPLETE, &variables, Repeat::Safe).await?;
        Ok(data.complete_charge.map(Charge::from))
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
    pub async fn refund(&self, order: OrderId) -> Result<Refunded, CallError> {
        const REFUND: &str = "mutation Refund($id: ID!) { refund(orderId: $id) { outcome } }";
        let data: RefundData = self
            .client
            .call(REFUND, &json!({ "id": order }), Repeat::Safe)
            .await?;
        Ok(data.refund.outcome)
    }

    /// Gives some of an order's money back, once per refund.
    pub async fn refund_part(
        &self,
        order: OrderId,
        refund: RefundId,
        amount: Money,
    ) -> Result<Refunded, CallError> {
        const REFUND_PART: &str =
            "mutation RefundPart($input: RefundPartInput!) { refundPart(input: $input) { outcome } }";
        let input = json!({ "orderId": order, "refundId": refund, "amount": amount.minor_units() });
        let data: RefundPartData = self
            .client
            .call(REFUND_PART, &json!({ "input": input }), Repeat::Safe)
            .await?;
        Ok(data.refund_part.outcome)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RefundPartData {
    refund_part: RefundPayload,
}

#[derive(Deserialize)]
struct ChargeData {
    charge: ChargePayload,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CompleteData {
    complete_charge: Option<ChargePayload>,
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
    outcome: Refunded,
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
    Authorized,
    ConfirmationRequired,
    Declined,
    Unknown,
}

impl From<ChargePayload> for Charge {
    fn from(payload: ChargePayload) -> Self {
        match payload.outcome {
            ChargeOutcome::Captured => Self::Captured,
            ChargeOutcome::Authorized => Self::Authorized,
            ChargeOutcome::ConfirmationRequired => Self::ConfirmationRequired,
            ChargeOutcome::Declined => {
                Self::Declined(payload.decline_code.unwrap_or_else(|| "declined".to_owned()))
            }
            ChargeOutcome::Unknown => Self::Unknown,
        }
    }
}
