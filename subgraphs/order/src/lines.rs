//! The lines of an order as customers ask for them: counted, checked, duplicates summed.

use fondaco_contracts::{ErrorCode, Sku, UserError};

/// The most lines of one order.
pub const MAX_LINES: usize = 50;
/// The most of one variant in one order.
pub const MAX_QUANTITY: i32 = 1_000;

/// So many of one variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// Which.
    pub sku: Sku,
    /// How many.
    pub quantity: i32,
    /// Where the customer asked for it.
    pub origin: Origin,
}

/// Where a request asks for something: what an error about it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The line of that number, from 0.
    Line(usize),
    /// A draft.
    Draft,
    /// The wishlist.
    Wishlist,
}

impl Origin {
    /// The input field: `part` of a line, or what names the draft or the wishlist.
    pub fn field(self, part: &str) -> String {
        match self {
            Self::Line(index) => format!("lines.{index}.{part}"),
            Self::Draft => "orderId".to_owned(),
            Self::Wishlist => "wishlist".to_owned(),
        }
    }
}

/// The lines with duplicates summed, each SKU at its first place; refused where one is out of range.
pub fn summed(lines: &[Demand]) -> Result<Vec<Demand>, UserError> {
    if lines.is_empty() || lines.len() > MAX_LINES {
        return Err(count_out_of_range());
    }
    added(&[], lines)
}

/// `present` with `more` added to it, by the same rules.
pub fn added(present: &[Demand], more: &[Demand]) -> Result<Vec<Demand>, UserError> {
    let mut summed: Vec<Demand> = present.to_vec();
    for line in more {
        let field = || line.origin.field("quantity");
        check_quantity(field, line.quantity)?;
        match summed.iter_mut().find(|other| other.sku == line.sku) {
            Some(other) => {
                other.quantity += line.quantity;
                check_quantity(field, other.quantity)?;
            }
            None => summed.push(line.clone()),
        }
    }
    if summed.len() > MAX_LINES {
        return Err(count_out_of_range());
    }
    Ok(summed)
}

/// Refuses what is not 1 to 1000, naming the field.
pub fn check_quantity(field: impl FnOnce() -> String, quantity: i32) -> Result<(), UserError> {
    if (1..=MAX_QUANTITY).contains(&quantity) {
        return Ok(());
    }
    let message = "the quantity of a variant is 1 to 1000";
    Err(UserError::on(field(), ErrorCode::InvalidInput, message))
}

/// The text that tells one request from another under the same idempotency key.
pub fn parameters(lines: &[Demand]) -> String {
    lines
        .iter()
        .map(|line| format!("{} {}\n", line.sku, line.quantity))
        .collect()
}

fn count_out_of_range() -> UserError {
    UserError::on("lines", ErrorCode::InvalidInput, "an order has 1 to 50 lines")
}
