//! User errors: what a mutation's payload tells the person who called it. Faults of the machinery are top-level errors instead.

use async_graphql::{Enum, SimpleObject};
use serde::{Deserialize, Serialize};

/// Something the caller can put right. Every mutation's payload carries a list of them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, SimpleObject)]
#[graphql(shareable)]
pub struct UserError {
    /// What is wrong, for programs.
    pub code: ErrorCode,
    /// The input field it is about, as a dotted path such as `lines.0.quantity`; absent when it is about the whole input.
    pub field: Option<String>,
    /// What is wrong, for people.
    pub message: String,
}

impl UserError {
    /// An error about the input as a whole.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            field: None,
            message: message.into(),
        }
    }

    /// An error about one field of the input.
    pub fn on(field: impl Into<String>, code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            field: Some(field.into()),
            message: message.into(),
        }
    }
}

/// Codes of user errors.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ErrorCode {
    /// A field is missing, malformed or out of range.
    InvalidInput,
    /// No product variant has this SKU.
    UnknownSku,
    /// Less is left than was asked for.
    SoldOut,
    /// The limited drop has not begun.
    SaleNotStarted,
    /// More than one customer may buy of this drop.
    LimitExceeded,
    /// The payment provider refused.
    PaymentDeclined,
    /// The payment's outcome is not known yet.
    PaymentPending,
    /// The idempotency key was used before with other parameters.
    IdempotencyKeyReused,
    /// No such order, or not the caller's.
    OrderNotFound,
    /// The order's status does not allow cancelling.
    OrderNotCancellable,
    /// The order is no draft (any more): its lines are fixed.
    OrderNotEditable,
    /// The order is not paid, or on its way already.
    OrderNotFulfillable,
    /// The order is not paid.
    OrderNotRefundable,
    /// The order was changed while it was being bought.
    OrderChanged,
    /// More than was paid, or than is left of it.
    RefundExceedsPaid,
    /// The customer must confirm the payment first.
    PaymentConfirmationRequired,
    /// There is no payment under way that this could complete.
    PaymentNotCompletable,
    /// An account with this e-mail address exists.
    EmailTaken,
    /// The password is too short, too long or too common.
    WeakPassword,
    /// Unknown account or wrong password.
    InvalidCredentials,
    /// The e-mail address is not proven yet.
    EmailNotVerified,
    /// A mailed code is wrong, old or used.
    InvalidCode,
    /// There would be no administrator left.
    LastAdmin,
    /// The refresh token is unknown, expired, used or revoked.
    InvalidRefreshToken,
    /// No such object, or not the caller's.
    NotFound,
    /// A product with this slug exists.
    SlugTaken,
}
