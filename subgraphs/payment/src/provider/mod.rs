//! What the payment service asks of a payment provider.

pub mod sandbox;

use fondaco_contracts::{Money, OrderId};
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
}

/// A final answer of the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The money is taken.
    Captured,
    /// It is not and will not be; with the provider's reason, such as `insufficient_funds`.
    Declined(String),
}

/// The provider gave no answer: what was asked for may have happened or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the payment provider did not answer in time")]
pub struct NoAnswer;

/// A payment provider.
pub trait Provider: Send + Sync + 'static {
    /// Takes the money, once per order however often it is called.
    fn charge<'a>(&'a self, request: &'a ChargeRequest) -> BoxFuture<'a, Result<Verdict, NoAnswer>>;

    /// What became of a charge that was asked for and not answered. A request that never arrived is carried out now, under the same key.
    fn settle<'a>(&'a self, request: &'a ChargeRequest) -> BoxFuture<'a, Result<Verdict, NoAnswer>>;

    /// Gives the money of `order` back, once however often it is called.
    fn refund(&self, order: OrderId) -> BoxFuture<'_, Result<(), NoAnswer>>;
}
