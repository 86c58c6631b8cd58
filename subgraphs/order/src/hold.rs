//! Holding stock for a purchase: what inventory's refusals mean to the customer.

use chrono::{DateTime, Utc};
use fondaco_chassis::{ApiError, CallError};
use fondaco_contracts::{ErrorCode, ReservationId, Sku, UserError, UserId};

use crate::{
    error::Stop,
    peers::inventory::{HoldLine, HoldRequest, Inventory, Outcome, Reservation},
    pricing::{Priced, unknown_sku},
    store::{Key, Store},
};

/// Stock that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Its name at inventory.
    pub reservation: ReservationId,
    /// When it lapses.
    pub until: DateTime<Utc>,
}

/// Holds stock at inventory. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Holds {
    store: Store,
    inventory: Inventory,
    seconds: u32,
}

impl Holds {
    /// Holds that last so many seconds.
    pub fn new(store: Store, inventory: Inventory, seconds: u32) -> Self {
        Self {
            store,
            inventory,
            seconds,
        }
    }

    /// Holds all lines under the reservation of `key`, or none.
    ///
    /// A resumed purchase may find that its hold has ended meanwhile, or that its lines (of a wishlist, a draft) have changed; then the
    /// old one is given back and the key gets a new reservation.
    pub async fn hold(&self, key: &Key, reservation: ReservationId, lines: &[Priced]) -> Result<Hold, Stop> {
        let wanted: Vec<HoldLine> = lines.iter().map(Priced::to_hold).collect();
        let mut name = reservation;
        let mut answer = self.ask(name, key.customer, wanted.clone()).await?;
        if answer.outcome == Outcome::KeyReused {
            self.inventory.release(name).await?;
            name = self.renew(key, name).await?;
            answer = self.ask(name, key.customer, wanted).await?;
        }
        let until = answer.expires_at.unwrap_or_else(Utc::now);
        refusal(lines, &answer).map_or(
            Ok(Hold {
                reservation: name,
                until,
            }),
            Err,
        )
    }

    /// Gives a hold back.
    pub async fn release(&self, reservation: ReservationId) -> Result<(), CallError> {
        self.inventory.release(reservation).await
    }

    async fn ask(
        &self,
        reservation_id: ReservationId,
        customer_id: UserId,
        lines: Vec<HoldLine>,
    ) -> Result<Reservation, ApiError> {
        let request = HoldRequest {
            reservation_id,
            customer_id,
            lines,
            ttl_seconds: self.seconds,
        };
        self.inventory.reserve(request).await
    }

    async fn renew(&self, key: &Key, old: ReservationId) -> Result<ReservationId, Stop> {
        let new = ReservationId::new();
        if self.store.renew_reservation(key, old, new).await? {
            return Ok(new);
        }
        Err(ApiError::unavailable("somebody else took this purchase over and has not finished it").into())
    }
}

fn refusal(lines: &[Priced], answer: &Reservation) -> Option<Stop> {
    if answer.outcome == Outcome::Reserved {
        return None;
    }
    let Some(line) = refused_line(lines, answer.sku.as_ref()) else {
        return Some(ApiError::internal("inventory refused what nobody asked for").into());
    };
    let stop = match answer.outcome {
        Outcome::Reserved => return None,
        Outcome::SoldOut => sold_out(line, answer.available).into(),
        Outcome::SaleNotStarted => not_started(line).into(),
        Outcome::LimitExceeded => limit_exceeded(line, answer.available).into(),
        Outcome::UnknownSku => unknown_sku(line.origin, &line.line.sku).into(),
        Outcome::NotReady => ApiError::unavailable("inventory is not ready").into(),
        Outcome::KeyReused => ApiError::internal("inventory knows a reservation that was just named").into(),
    };
    Some(stop)
}

/// Some answers are about no line; the first one stands for all.
fn refused_line<'a>(lines: &'a [Priced], sku: Option<&Sku>) -> Option<&'a Priced> {
    let named = lines.iter().find(|priced| Some(&priced.line.sku) == sku);
    named.or_else(|| lines.first())
}

fn not_started(line: &Priced) -> UserError {
    let sku = &line.line.sku;
    let message = match &line.drop {
        Some(drop) => format!("the sale of {sku} starts at {}", drop.starts_at.to_rfc3339()),
        None => format!("the sale of {sku} has not started"),
    };
    UserError::on(line.origin.field("sku"), ErrorCode::SaleNotStarted, message)
}

fn limit_exceeded(line: &Priced, left: Option<i32>) -> UserError {
    let sku = &line.line.sku;
    let limit = line.drop.as_ref().map_or(0, |drop| drop.per_customer_limit);
    let message = match left {
        Some(left) if left > 0 => format!("at most {limit} of {sku} per customer; you may have {left} more"),
        _ => format!("at most {limit} of {sku} per customer, in all orders together"),
    };
    UserError::on(line.origin.field("quantity"), ErrorCode::LimitExceeded, message)
}

fn sold_out(line: &Priced, left: Option<i32>) -> UserError {
    let sku = &line.line.sku;
    let message = match left {
        Some(left) if left > 0 => format!("only {left} of {sku} left"),
        _ => format!("{sku} is sold out"),
    };
    UserError::on(line.origin.field("quantity"), ErrorCode::SoldOut, message)
}
