//! The types of the schema.

use async_graphql::{Enum, InputObject, SimpleObject};
use fondaco_contracts::{CurrencyCode, Money, OrderId, PaymentId, RefundId, UserId, money::Amount};

use crate::{
    charge::{Outcome, Refunded},
    status::Status,
    store::Charge,
};

/// The money for an order.
#[derive(SimpleObject)]
pub struct Payment {
    id: PaymentId,
    status: PaymentStatus,
    amount: Money,
    /// How much of it was given back.
    refunded: Money,
    /// Where the customer confirms it, while that is awaited.
    confirmation_url: Option<String>,
}

/// Where a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum PaymentStatus {
    /// Under way.
    Pending,
    /// The customer must confirm it first.
    RequiresConfirmation,
    /// The money is set aside; it is not taken yet.
    Authorized,
    /// What was set aside, or waited for the customer, was let go.
    Voided,
    /// The money is taken.
    Captured,
    /// The provider refused.
    Declined,
    /// The provider has not answered; it will be asked again.
    Unknown,
    /// Some of the money was given back.
    PartiallyRefunded,
    /// All of the money was given back.
    Refunded,
}

impl Payment {
    /// What clients see of a charge; nothing of one that was called off before it was asked for.
    pub fn of(charge: &Charge) -> Option<Self> {
        let status = match charge.status {
            Status::Pending => PaymentStatus::Pending,
            Status::Unknown => PaymentStatus::Unknown,
            Status::RequiresConfirmation => PaymentStatus::RequiresConfirmation,
            Status::Authorized => PaymentStatus::Authorized,
            Status::Voided => PaymentStatus::Voided,
            Status::Captured => PaymentStatus::Captured,
            Status::Declined => PaymentStatus::Declined,
            Status::PartiallyRefunded => PaymentStatus::PartiallyRefunded,
            Status::Refunded => PaymentStatus::Refunded,
            Status::CalledOff => return None,
        };
        let amount = charge.terms.as_ref()?.amount;
        let refunded = Money::new(charge.refunded_amount, amount.currency).ok()?;
        Some(Self {
            id: charge.id,
            status,
            amount,
            refunded,
            confirmation_url: charge.confirmation_url.clone(),
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
    /// Take the money at once; otherwise set it aside, for `completePayment`.
    #[graphql(default = true)]
    pub capture: bool,
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
    /// It is set aside, to be taken by a second step.
    Authorized,
    /// The customer must confirm the payment first.
    ConfirmationRequired,
    /// The money is taken.
    Captured,
    /// It is not, and will not be.
    Declined,
    /// Ask again later.
    Unknown,
}

impl From<Outcome> for ChargePayload {
    fn from(outcome: Outcome) -> Self {
        let without_reason = |outcome| Self {
            outcome,
            decline_code: None,
        };
        match outcome {
            Outcome::Captured => without_reason(ChargeOutcome::Captured),
            Outcome::Authorized => without_reason(ChargeOutcome::Authorized),
            Outcome::ConfirmationRequired => without_reason(ChargeOutcome::ConfirmationRequired),
            Outcome::Declined(code) => Self {
                outcome: ChargeOutcome::Declined,
                decline_code: Some(code),
            },
            // Whoever asks after a refund must treat the order as not paid.
            Outcome::Refunded => Self {
                outcome: ChargeOutcome::Declined,
                decline_code: Some("refunded".to_owned()),
            },
            Outcome::Unknown => without_reason(ChargeOutcome::Unknown),
        }
    }
}

/// Some of an order's money to be given back.
#[derive(InputObject)]
#[graphql(inaccessible)]
pub struct RefundPartInput {
    /// The order.
    pub order_id: OrderId,
    /// The refund, and the idempotency key.
    pub refund_id: RefundId,
    /// How much, in minor units of the charge's currency.
    pub amount: Amount,
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

impl From<Refunded> for RefundPayload {
    fn from(refund: Refunded) -> Self {
        let outcome = match refund {
            Refunded::Refunded => RefundOutcome::Refunded,
            Refunded::NotCharged => RefundOutcome::NotCharged,
            Refunded::Unknown => RefundOutcome::Unknown,
        };
        Self { outcome }
    }
}
