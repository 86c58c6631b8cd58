//! Settling reservations: many in one transaction, each by compare-and-set on its status.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use fondaco_contracts::{ReservationId, Sku};
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::{corrupt, lock_stock, parse_sku, status};
use crate::reservation::{ReservationStatus, Settlement};

/// A reservation after a settlement.
#[derive(Clone, Debug)]
pub struct Settled {
    /// Which.
    pub id: ReservationId,
    /// Where it stands now.
    pub status: ReservationStatus,
    /// Where it stood before, if this settlement moved it.
    pub moved_from: Option<ReservationStatus>,
    /// Its SKUs, if it was moved.
    pub skus: Vec<Sku>,
}

/// How much the figures of a SKU change.
#[derive(Clone, Copy, Default)]
struct Change {
    held: i64,
    sold: i64,
}

/// Settles those of `wanted` that exist, in order; each id once. Their stock rows stay locked until the transaction ends.
pub async fn settle(
    connection: &mut PgConnection,
    wanted: &[(ReservationId, Settlement)],
) -> Result<Vec<Settled>, sqlx::Error> {
    let mut settled = lock(connection, wanted).await?;
    let mut moved: Vec<usize> = (0..settled.len())
        .filter(|index| settled[*index].moved_from.is_some())
        .collect();
    if moved.is_empty() {
        return Ok(settled);
    }
    let ids = moved.iter().map(|index| settled[*index].id.as_uuid()).collect();
    let mut lines: HashMap<ReservationId, Vec<(Sku, i64)>> = HashMap::new();
    for (id, sku, quantity) in self::lines(connection, ids).await? {
        lines.entry(id).or_default().push((sku, quantity));
    }
    let skus: BTreeSet<Sku> = lines.values().flatten().map(|(sku, _)| sku.clone()).collect();
    let stock = lock_stock(connection, &skus.into_iter().collect::<Vec<_>>()).await?;
    let mut left: HashMap<Sku, i64> = stock
        .into_iter()
        .map(|row| (row.sku.clone(), row.available()))
        .collect();
    let mut changes: BTreeMap<Sku, Change> = BTreeMap::new();
    for index in &moved {
        let reservation = &mut settled[*index];
        let lines = lines.remove(&reservation.id).unwrap_or_default();
        let is_late_sale = reservation.moved_from == Some(ReservationStatus::Expired)
            && reservation.status == ReservationStatus::Confirmed;
        if is_late_sale && !take_again(&mut left, &lines) {
            reservation.status = ReservationStatus::Expired;
            reservation.moved_from = None;
            continue;
        }
        note(&mut changes, reservation, lines);
    }
    moved.retain(|index| settled[*index].moved_from.is_some());
    if moved.is_empty() {
        return Ok(settled);
    }
    write_stock(connection, &changes).await?;
    write_statuses(connection, moved.iter().map(|index| &settled[*index])).await?;
    Ok(settled)
}

/// Units that were given up when their hold expired are sold after all, where all of them are still there.
fn take_again(left: &mut HashMap<Sku, i64>, lines: &[(Sku, i64)]) -> bool {
    let enough = |(sku, quantity): &(Sku, i64)| left.get(sku).is_some_and(|left| left >= quantity);
    if !lines.iter().all(enough) {
        return false;
    }
    for (sku, quantity) in lines {
        *left.entry(sku.clone()).or_default() -= quantity;
    }
    true
}

/// What a moved reservation changes about the figures of its SKUs.
fn note(changes: &mut BTreeMap<Sku, Change>, reservation: &mut Settled, lines: Vec<(Sku, i64)>) {
    for (sku, quantity) in lines {
        let change = changes.entry(sku.clone()).or_default();
        match reservation.moved_from {
            Some(ReservationStatus::Held) => change.held -= quantity,
            Some(ReservationStatus::Confirmed) => change.sold -= quantity,
            _ => {}
        }
        if reservation.status == ReservationStatus::Confirmed {
            change.sold += quantity;
        }
        reservation.skus.push(sku);
    }
}

/// Expired reservations, at most `limit`, for [`settle`]; those another instance is at work on are left to it.
pub async fn expired(
    connection: &mut PgConnection,
    limit: i64,
) -> Result<Vec<(ReservationId, Settlement)>, sqlx::Error> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "SELECT id FROM reservation WHERE status = 'HELD' AND expires_at <= now()
         ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED",
    )
    .bind(limit)
    .fetch_all(connection)
    .await?;
    Ok(ids
        .into_iter()
        .map(|id| (id.into(), Settlement::Expire))
        .collect())
}

async fn lock(
    connection: &mut PgConnection,
    wanted: &[(ReservationId, Settlement)],
) -> Result<Vec<Settled>, sqlx::Error> {
    let settlements: HashMap<ReservationId, Settlement> = wanted.iter().copied().collect();
    let ids: Vec<Uuid> = settlements.keys().map(ReservationId::as_uuid).collect();
    let rows = sqlx::query("SELECT id, status FROM reservation WHERE id = ANY($1) ORDER BY id FOR UPDATE")
        .bind(ids)
        .fetch_all(connection)
        .await?;
    let mut settled = Vec::with_capacity(rows.len());
    for row in rows {
        let id: ReservationId = row.try_get::<Uuid, _>("id")?.into();
        let before = status(&row)?;
        let after = settlements
            .get(&id)
            .and_then(|settlement| before.after(*settlement));
        let moved_from = after.map(|_| before);
        settled.push(Settled {
            id,
            status: after.unwrap_or(before),
            moved_from,
            skus: Vec::new(),
        });
    }
    Ok(settled)
}

async fn lines(
    connection: &mut PgConnection,
    ids: Vec<Uuid>,
) -> Result<Vec<(ReservationId, Sku, i64)>, sqlx::Error> {
    let rows: Vec<(Uuid, String, i64)> = sqlx::query_as(
        "SELECT reservation_id, sku, quantity - returned FROM reservation_line WHERE reservation_id = ANY($1)",
    )
    .bind(ids)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(id, sku, quantity)| Ok((id.into(), parse_sku(sku)?, quantity)))
        .collect()
}

async fn write_stock(
    connection: &mut PgConnection,
    changes: &BTreeMap<Sku, Change>,
) -> Result<(), sqlx::Error> {
    let skus: Vec<&str> = changes.keys().map(Sku::as_str).collect();
    let held: Vec<i64> = changes.values().map(|change| change.held).collect();
    let sold: Vec<i64> = changes.values().map(|change| change.sold).collect();
    let written = sqlx::query(
        "UPDATE stock SET held = stock.held + change.held, sold = stock.sold + change.sold
         FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS change(sku, held, sold)
         WHERE stock.sku = change.sku",
    )
    .bind(skus)
    .bind(held)
    .bind(sold)
    .execute(connection)
    .await?;
    if written.rows_affected() == changes.len() as u64 {
        Ok(())
    } else {
        Err(corrupt("sku"))
    }
}

async fn write_statuses(
    connection: &mut PgConnection,
    moved: impl Iterator<Item = &Settled>,
) -> Result<(), sqlx::Error> {
    let (ids, statuses): (Vec<Uuid>, Vec<&str>) =
        moved.map(|one| (one.id.as_uuid(), one.status.as_str())).unzip();
    sqlx::query(
        "UPDATE reservation SET status = change.status
         FROM unnest($1::uuid[], $2::text[]) AS change(id, status) WHERE reservation.id = change.id",
    )
    .bind(ids)
    .bind(statuses)
    .execute(connection)
    .await?;
    Ok(())
}
