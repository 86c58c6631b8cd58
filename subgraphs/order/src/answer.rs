//! Answers of mutations on orders. They follow from what is stored, so that a repeated key gets the same one.

use fondaco_contracts::{ErrorCode, UserError};

use crate::{order::Status, peers::payment::Charge, store::Order};

/// The failure stored for an order whose stock was gone when its payment was found captured.
pub const SOLD_OUT: &str = "sold_out";
/// The failure stored for an order that nobody was charged for.
pub const NOT_CHARGED: &str = "not_charged";

/// The failure stored for an order whose payment was not completed while its stock was held.
pub const NOT_COMPLETED: &str = "not_completed";

/// An order, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The order, when there is one.
    pub order: Option<Order>,
    /// What the customer should know.
    pub errors: Vec<UserError>,
}

impl Answer {
    /// No order, because of `error`.
    pub fn rejected(error: UserError) -> Self {
        Self {
            order: None,
            errors: vec![error],
        }
    }

    /// The answer to a purchase that led to `order`.
    pub fn of_purchase(order: Order) -> Self {
        let errors = match order.status {
            Status::Draft | Status::Confirmed | Status::Fulfilled | Status::Refunded => vec![],
            Status::Pending => vec![pending()],
            Status::Failed => vec![failure(order.failure.as_deref().unwrap_or_default())],
            // A customer who cancels gives no failure.
            Status::Cancelled => order.failure.as_deref().map(failure).into_iter().collect(),
        };
        Self {
            order: Some(order),
            errors,
        }
    }

    /// The answer to a purchase whose payment stands at `charge`.
    pub fn of_payment(order: Order, charge: &Charge) -> Self {
        match (order.status, charge) {
            (Status::Pending, Charge::Authorized) => Self::done(order),
            (Status::Pending, Charge::ConfirmationRequired) => Self {
                order: Some(order),
                errors: vec![confirmation_required()],
            },
            _ => Self::of_purchase(order),
        }
    }

    /// The answer to an operation on an order that was carried out.
    pub fn done(order: Order) -> Self {
        Self {
            order: Some(order),
            errors: vec![],
        }
    }
}

fn pending() -> UserError {
    let message =
        "the payment provider has not answered yet; the order will be confirmed or given up by itself";
    UserError::on("paymentToken", ErrorCode::PaymentPending, message)
}

fn confirmation_required() -> UserError {
    let message = "confirm the payment at its confirmationUrl, then complete it";
    UserError::on("paymentToken", ErrorCode::PaymentConfirmationRequired, message)
}

fn failure(code: &str) -> UserError {
    if code == SOLD_OUT {
        return UserError::new(
            ErrorCode::SoldOut,
            "sold out while the payment was pending; it was refunded",
        );
    }
    let message = match code {
        "card_declined" => "the card was declined".to_owned(),
        "insufficient_funds" => "the card has insufficient funds".to_owned(),
        "invalid_token" => "the means of payment is unknown".to_owned(),
        NOT_CHARGED | "called_off" => "the payment did not take place; nothing was charged".to_owned(),
        "confirmation_failed" => "the payment was not confirmed".to_owned(),
        NOT_COMPLETED => "the payment was not completed in time; nothing was charged".to_owned(),
        "refunded" => "the payment was refunded".to_owned(),
        other => format!("the payment was declined ({other})"),
    };
    UserError::on("paymentToken", ErrorCode::PaymentDeclined, message)
}
