//! The types of the schema.

use async_graphql::{Enum, InputObject, SimpleObject};
use fondaco_contracts::{CurrencyCode, Money, OrderId, PaymentId, UserId, money::Amount};

use crate::{
    charge::{Outcome, Refund},
    store::{Charge, Status},
};

/// The money for an order.
#[derive(SimpleObject)]
pub struct Payment {
    id: PaymentId,
    status: PaymentStatus,
    amount: Money,
}

/// Where a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum PaymentStatus {
    /// Under way.
    Pending,
    /// The money is taken.
    Captured,
    /// The provider refused.
    Declined,
    /// The provider has not answered; it will be asked again.
    Unknown,
    /// The money was given back.
    Refunded,
}

impl Payment {
    /// What clients see of a charge; nothing of one that was called off before it was asked for.
    pub fn of(charge: &Charge) -> Option<Self> {
        let status = match charge.status {
            Status::Pending => PaymentStatus::Pending,
            Status::Unknown => PaymentStatus::Unknown,
            Status::Captured => PaymentStatus::Captured,
            Status::Declined => PaymentStatus::Declined,
            Status::Refunded => PaymentStatus::Refunded,
            Status::CalledOff => return None,
        };
        Some(Self {
            id: charge.id,
            status,
            amount: charge.terms.as_ref()?.amount,
        })
    }
}

/// What the order service asks for.
#[derive(InputObject)]
#[graphql(inaccessible)]
pub struct ChargeInput {
    /// The order, and the idempotency key.
    pub order_id: OrderId,
    /// Who pays.
    pub customer_id: UserId,
    /// How much, in minor units.
    pub amount: Amount,
    /// Of which currency.
    pub currency: CurrencyCode,
    /// The customer's means of payment at the provider.
    pub token: String,
}

/// What is known about an order's money.
#[derive(SimpleObject)]
#[graphql(inaccessible)]
pub struct ChargePayload {
    outcome: ChargeOutcome,
    /// The reason when declined.
    decline_code: Option<String>,
}

/// What became of a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(inaccessible)]
pub enum ChargeOutcome {
    /// The money is taken.
    Captured,
    /// It is not, and will not be.
    Declined,
    /// Ask again later.
    Unknown,
}

impl From<Outcome> for ChargePayload {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Captured => Self {
                outcome: ChargeOutcome::Captured,
                decline_code: None,
            },
            Outcome::Declined(code) => Self {
                outcome: ChargeOutcome::Declined,
                decline_code: Some(code),
            },
            // Whoever asks after a refund must treat the order as not paid.
            Outcome::Refunded => Self {
                outcome: ChargeOutcome::Declined,
                decline_code: Some("refunded".to_owned()),
            },
            Outcome::Unknown => Self {
                outcome: ChargeOutcome::Unknown,
                decline_code: None,
            },
        }
    }
}

/// What became of a refund.
#[derive(SimpleObject)]
#[graphql(inaccessible)]
pub struct RefundPayload {
    outcome: RefundOutcome,
}

/// What became of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(inaccessible)]
pub enum RefundOutcome {
    /// The money was given back, now or before.
    Refunded,
    /// No money was taken, and none will be.
    NotCharged,
    /// Ask again later.
    Unknown,
}

impl From<Refund> for RefundPayload {
    fn from(refund: Refund) -> Self {
        let outcome = match refund {
            Refund::Refunded => RefundOutcome::Refunded,
            Refund::NotCharged => RefundOutcome::NotCharged,
            Refund::Unknown => RefundOutcome::Unknown,
        };
        Self { outcome }
    }
}
