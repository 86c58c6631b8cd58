//! What the payment service asks of a payment provider.

pub mod sandbox;
pub mod stripe;

use fondaco_contracts::{Money, OrderId, RefundId};
use futures::future::BoxFuture;
use thiserror::Error;

/// A request for money. The order id is the idempotency key: a provider that sees it again answers as it did the first time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChargeRequest {
    /// The order that is paid.
    pub order: OrderId,
    /// How much.
    pub amount: Money,
    /// The customer's means of payment, as the provider calls it.
    pub token: String,
    /// Take the money at once; otherwise set it aside.
    pub capture: bool,
}

/// A request to give money back. The refund's id is the idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundRequest {
    /// The order that was paid.
    pub order: OrderId,
    /// The refund.
    pub refund: RefundId,
    /// How much.
    pub amount: Money,
}

/// An answer of the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The money is taken.
    Captured,
    /// The money is set aside.
    Authorized,
    /// The customer must confirm the payment first, at this address.
    ConfirmationRequired(String),
    /// It is not taken and will not be; with the provider's reason, such as `insufficient_funds`.
    Declined(String),
}

impl Verdict {
    /// The provider's reason for declining.
    pub fn decline_code(&self) -> Option<&str> {
        match self {
            Self::Declined(code) => Some(code),
            Self::Captured | Self::Authorized | Self::ConfirmationRequired(_) => None,
        }
    }

    /// Where the customer confirms the payment.
    pub fn confirmation_url(&self) -> Option<&str> {
        match self {
            Self::ConfirmationRequired(url) => Some(url),
            Self::Captured | Self::Authorized | Self::Declined(_) => None,
        }
    }
}

/// The provider gave no answer: what was asked for may have happened or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the payment provider did not answer in time")]
pub struct NoAnswer;

/// What the provider says, if anything.
pub type Answered<'a, T> = BoxFuture<'a, Result<T, NoAnswer>>;

/// A payment provider. Every call may be repeated: it has its effect once, and the same answer.
pub trait Provider: Send + Sync + 'static {
    /// Takes the money, or sets it aside, once per order.
    fn charge<'a>(&'a self, request: &'a ChargeRequest) -> Answered<'a, Verdict>;

    /// What became of a charge that was asked for and not answered. A request that never arrived is carried out now, under the same key.
    fn settle<'a>(&'a self, request: &'a ChargeRequest) -> Answered<'a, Verdict>;

    /// Hands the customer's confirmation of a payment on.
    fn confirm<'a>(&'a self, request: &'a ChargeRequest, confirmation: &'a str) -> Answered<'a, Verdict>;

    /// Takes the money that was set aside for an order.
    fn capture<'a>(&'a self, request: &'a ChargeRequest) -> Answered<'a, Verdict>;

    /// Lets the money go that was set aside for an order, or was to be confirmed: [`Verdict::Declined`]. [`Verdict::Captured`] where it
    /// turns out to have been taken.
    fn void(&self, order: OrderId) -> Answered<'_, Verdict>;

    /// Gives money back, once per refund.
    fn refund<'a>(&'a self, request: &'a RefundRequest) -> Answered<'a, ()>;
}
