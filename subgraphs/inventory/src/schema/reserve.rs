//! Mutations of services: holding stock, and what becomes of it.

use std::collections::{BTreeMap, btree_map::Entry};

use async_graphql::{Context, Enum, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use fondaco_chassis::{ApiError, require_service};
use fondaco_contracts::{ReservationId, Sku, UserId};
use futures::future::join_all;

use super::types::quantity;
use crate::{
    inventory::Inventory,
    reservation::{Answer, ReservationStatus, Settlement, Want, Wish},
};

const MAX_WISHES: usize = 100;
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
    /// How many one customer may have in all orders together; at least 1.
    per_customer_limit: Option<i32>,
    /// When the sale opens.
    opens_at: Option<DateTime<Utc>>,
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
    /// The sale of one has not opened.
    SaleNotStarted,
    /// More of one than this customer may have.
    LimitExceeded,
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
    /// How many units of it are left; for `LIMIT_EXCEEDED`, to this customer.
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
    /// Answers each of 1 to 100 wishes at its own place: all its lines are held, or none. Durable when it answers. For services only.
    #[graphql(inaccessible, guard = "require_service()")]
    async fn reserve_stock(
        &self,
        ctx: &Context<'_>,
        inputs: Vec<ReserveStockInput>,
    ) -> Result<Vec<ReserveStockPayload>, ApiError> {
        if !(1..=MAX_WISHES).contains(&inputs.len()) {
            let message = format!("there are 1 to {MAX_WISHES} wishes");
            return Err(ApiError::BadUserInput(message));
        }
        let wishes: Vec<Wish> = inputs.into_iter().map(check).collect::<Result<_, _>>()?;
        let inventory = ctx.data_unchecked::<Inventory>();
        // Each is carried to its end, whatever becomes of another.
        let answers = join_all(wishes.into_iter().map(|wish| inventory.reserve(wish))).await;
        answers
            .into_iter()
            .map(|answer| answer.map(ReserveStockPayload::from))
            .collect()
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
    let is_unusable = |line: &ReserveStockLineInput| {
        line.quantity < 1 || line.per_customer_limit.is_some_and(|limit| limit < 1)
    };
    if input.lines.iter().any(is_unusable) {
        return refuse("quantities and limits are at least 1".to_owned());
    }
    let mut lines: BTreeMap<Sku, Want> = BTreeMap::new();
    for line in input.lines {
        let want = Want {
            quantity: i64::from(line.quantity),
            per_customer_limit: line.per_customer_limit.map(i64::from),
            opens_at: line.opens_at,
        };
        match lines.entry(line.sku) {
            Entry::Vacant(entry) => drop(entry.insert(want)),
            Entry::Occupied(mut entry) => entry.get_mut().quantity += want.quantity,
        }
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
            Answer::NotStarted(sku) => (ReserveStockOutcome::SaleNotStarted, Some(sku), None, None),
            Answer::LimitExceeded { sku, left } => (
                ReserveStockOutcome::LimitExceeded,
                Some(sku),
                Some(quantity(left)),
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
