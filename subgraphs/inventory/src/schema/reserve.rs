//! Mutations of services: holding stock, and what becomes of it.

use std::collections::BTreeMap;

use async_graphql::{Context, Enum, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use fondaco_chassis::{ApiError, require_service};
use fondaco_contracts::{ReservationId, Sku, UserId};

use super::types::quantity;
use crate::{
    inventory::Inventory,
    reservation::{Answer, ReservationStatus, Settlement, Wish},
};

const MAX_LINES: usize = 100;
const MAX_TTL_SECONDS: i32 = 3_600;

/// So many units of one SKU.
#[derive(Clone, Debug, InputObject)]
#[graphql(inaccessible)]
pub struct ReserveStockLineInput {
    /// Which.
    sku: Sku,
    /// How many; at least 1.
    quantity: i32,
}

/// A wish to hold units.
#[derive(Clone, Debug, InputObject)]
#[graphql(inaccessible)]
pub struct ReserveStockInput {
    /// The order's id; a repeat with the same lines is answered alike.
    reservation_id: ReservationId,
    /// Whose order it is.
    customer_id: UserId,
    /// 1 to 100; lines of one SKU are summed.
    lines: Vec<ReserveStockLineInput>,
    /// How long, 1 to 3600 seconds.
    ttl_seconds: i32,
}

/// How a wish was answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Enum)]
#[graphql(inaccessible)]
pub enum ReserveStockOutcome {
    /// All lines are held.
    Reserved,
    /// Too little is left of one.
    SoldOut,
    /// One has no stock record.
    UnknownSku,
    /// Stock is being rebuilt: try again.
    NotReady,
    /// The id was used before, for something else or to its end.
    KeyReused,
}

/// What became of `reserveStock`.
#[derive(SimpleObject)]
#[graphql(inaccessible)]
pub struct ReserveStockPayload {
    /// Held or not: all lines, or none.
    outcome: ReserveStockOutcome,
    /// The SKU that it failed on.
    sku: Option<Sku>,
    /// How many units of it are left.
    available: Option<i32>,
    /// Until when the lines are held.
    expires_at: Option<DateTime<Utc>>,
}

/// What became of `confirmStock` or `releaseStock`.
#[derive(SimpleObject)]
#[graphql(inaccessible)]
pub struct SettleStockPayload {
    /// Where the reservation stands now; null where there is none.
    status: Option<ReservationStatus>,
}

/// What services do.
#[derive(Default)]
pub struct ReserveMutation;

#[Object]
impl ReserveMutation {
    /// Holds all lines, or none. Durable when it answers. For services only.
    #[graphql(inaccessible, guard = "require_service()")]
    async fn reserve_stock(
        &self,
        ctx: &Context<'_>,
        input: ReserveStockInput,
    ) -> Result<ReserveStockPayload, ApiError> {
        let wish = check(input)?;
        let answer = ctx.data_unchecked::<Inventory>().reserve(wish).await?;
        Ok(answer.into())
    }

    /// Turns held units into sold ones; repeating it changes nothing. For services only.
    #[graphql(inaccessible, guard = "require_service()")]
    async fn confirm_stock(
        &self,
        ctx: &Context<'_>,
        reservation_id: ReservationId,
    ) -> Result<SettleStockPayload, ApiError> {
        settle(ctx, reservation_id, Settlement::Confirm).await
    }

    /// Makes held or sold units available again; repeating it changes nothing. For services only.
    #[graphql(inaccessible, guard = "require_service()")]
    async fn release_stock(
        &self,
        ctx: &Context<'_>,
        reservation_id: ReservationId,
    ) -> Result<SettleStockPayload, ApiError> {
        settle(ctx, reservation_id, Settlement::Release).await
    }
}

async fn settle(
    ctx: &Context<'_>,
    id: ReservationId,
    settlement: Settlement,
) -> Result<SettleStockPayload, ApiError> {
    let status = ctx.data_unchecked::<Inventory>().settle(id, settlement).await?;
    Ok(SettleStockPayload { status })
}

fn check(input: ReserveStockInput) -> Result<Wish, ApiError> {
    let refuse = |message: String| Err(ApiError::BadUserInput(message));
    if !(1..=MAX_LINES).contains(&input.lines.len()) {
        return refuse(format!("a reservation has 1 to {MAX_LINES} lines"));
    }
    if !(1..=MAX_TTL_SECONDS).contains(&input.ttl_seconds) {
        return refuse(format!("ttlSeconds is between 1 and {MAX_TTL_SECONDS}"));
    }
    if input.lines.iter().any(|line| line.quantity < 1) {
        return refuse("a quantity is at least 1".to_owned());
    }
    let mut lines: BTreeMap<Sku, i64> = BTreeMap::new();
    for line in input.lines {
        *lines.entry(line.sku).or_default() += i64::from(line.quantity);
    }
    Ok(Wish {
        id: input.reservation_id,
        customer: input.customer_id,
        lines,
        ttl_seconds: input.ttl_seconds,
    })
}

impl From<Answer> for ReserveStockPayload {
    fn from(answer: Answer) -> Self {
        let (outcome, sku, available, expires_at) = match answer {
            Answer::Reserved { expires_at } => (ReserveStockOutcome::Reserved, None, None, Some(expires_at)),
            Answer::SoldOut { sku, available } => (
                ReserveStockOutcome::SoldOut,
                Some(sku),
                Some(quantity(available)),
                None,
            ),
            Answer::UnknownSku(sku) => (ReserveStockOutcome::UnknownSku, Some(sku), None, None),
            Answer::NotReady(sku) => (ReserveStockOutcome::NotReady, Some(sku), None, None),
            Answer::KeyReused => (ReserveStockOutcome::KeyReused, None, None, None),
        };
        Self {
            outcome,
            sku,
            available,
            expires_at,
        }
    }
}
