//! Prices: what lines cost now. They come from product alone; whatever a client believes does not matter.

use std::sync::Arc;

use fondaco_contracts::{ErrorCode, Money, Sku, UserError};

use crate::{
    error::Stop,
    lines::{Demand, Origin},
    peers::{
        inventory::HoldLine,
        product::{Catalogue, LimitedDrop, Variant},
    },
    store::{Draft, NewLine},
};

/// A line with its price and the terms of its sale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Priced {
    /// To be stored.
    pub line: NewLine,
    /// Where the customer asked for it.
    pub origin: Origin,
    /// Window and limit of its sale, for inventory to enforce by its clock and books.
    pub drop: Option<LimitedDrop>,
}

impl Priced {
    /// What inventory is asked to hold.
    pub fn to_hold(&self) -> HoldLine {
        HoldLine {
            sku: self.line.sku.clone(),
            quantity: self.line.quantity,
            per_customer_limit: self.drop.as_ref().map(|drop| drop.per_customer_limit),
            opens_at: self.drop.as_ref().map(|drop| drop.starts_at),
        }
    }
}

/// Lines at today's prices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceList {
    /// What all cost.
    pub total: Money,
    /// Each.
    pub lines: Vec<Priced>,
}

impl PriceList {
    /// As it is stored.
    pub fn into_draft(self) -> Draft {
        Draft {
            total: self.total,
            lines: self.lines.into_iter().map(|priced| priced.line).collect(),
        }
    }
}

/// Prices `lines`; refused where one is not in the catalogue, or the sum is none.
pub async fn price(catalogue: &Catalogue, lines: &[Demand]) -> Result<PriceList, Stop> {
    let skus: Vec<Sku> = lines.iter().map(|line| line.sku.clone()).collect();
    let variants = catalogue.variants(&skus).await?;
    let priced = lines.iter().zip(variants);
    let lines = priced
        .map(|(line, variant)| price_line(line, variant))
        .collect::<Result<Vec<_>, _>>()?;
    let total = total(&lines)?;
    Ok(PriceList { total, lines })
}

fn price_line(line: &Demand, variant: Option<Arc<Variant>>) -> Result<Priced, UserError> {
    let variant = variant
        .filter(|variant| variant.active)
        .ok_or_else(|| unknown_sku(line.origin, &line.sku))?;
    Ok(Priced {
        line: NewLine {
            sku: line.sku.clone(),
            name: variant.name.clone(),
            quantity: line.quantity,
            unit_price: variant.price,
        },
        origin: line.origin,
        drop: variant.drop.clone(),
    })
}

fn total(lines: &[Priced]) -> Result<Money, UserError> {
    let mut costs = lines.iter().map(|priced| &priced.line);
    let first = costs.clone().next().expect("checked lines are at least one");
    costs
        .try_fold(Money::zero(first.unit_price.currency), |sum, line| {
            sum.checked_add(line.unit_price.checked_mul(line.quantity.into())?)
        })
        .map_err(|error| UserError::on("lines", ErrorCode::InvalidInput, error.to_string()))
}

/// No such variant is for sale.
pub fn unknown_sku(origin: Origin, sku: &Sku) -> UserError {
    let message = format!("no variant {sku} is for sale");
    UserError::on(origin.field("sku"), ErrorCode::UnknownSku, message)
}
