//! Returning units of a sale: the line notes how many, so that nothing returns twice.

use std::collections::BTreeMap;

use fondaco_contracts::{ReservationId, ReturnedUnits, Sku};
use sqlx::{PgConnection, Row};

use super::{lock_stock, status};
use crate::reservation::ReservationStatus;

/// Makes units of a CONFIRMED reservation available again, at most as many as it still has; the SKUs concerned, whose stock rows stay
/// locked until the transaction ends. Nothing where the reservation is not a sale (any more).
pub async fn give_back(
    connection: &mut PgConnection,
    reservation: ReservationId,
    units: &[ReturnedUnits],
) -> Result<Vec<Sku>, sqlx::Error> {
    let row = sqlx::query("SELECT status FROM reservation WHERE id = $1 FOR UPDATE")
        .bind(reservation.as_uuid())
        .fetch_optional(&mut *connection)
        .await?;
    let before = row.as_ref().map(status).transpose()?;
    if before != Some(ReservationStatus::Confirmed) {
        return Ok(Vec::new());
    }
    let mut by_sku: BTreeMap<Sku, i64> = BTreeMap::new();
    for unit in units {
        *by_sku.entry(unit.sku.clone()).or_default() += i64::from(unit.quantity);
    }
    let skus: Vec<Sku> = by_sku.keys().cloned().collect();
    lock_stock(connection, &skus).await?;
    for (sku, quantity) in &by_sku {
        return_units(connection, reservation, sku, *quantity).await?;
    }
    Ok(skus)
}

async fn return_units(
    connection: &mut PgConnection,
    reservation: ReservationId,
    sku: &Sku,
    quantity: i64,
) -> Result<(), sqlx::Error> {
    let left = sqlx::query(
        "SELECT quantity - returned AS left_over FROM reservation_line WHERE reservation_id = $1 AND sku = $2",
    )
    .bind(reservation.as_uuid())
    .bind(sku.as_str())
    .fetch_optional(&mut *connection)
    .await?;
    let left: i64 = left.map_or(Ok(0), |row| row.try_get("left_over"))?;
    let quantity = quantity.min(left);
    sqlx::query(
        "WITH line AS (
             UPDATE reservation_line SET returned = returned + $3 WHERE reservation_id = $1 AND sku = $2 RETURNING sku)
         UPDATE stock SET sold = sold - $3 FROM line WHERE stock.sku = line.sku",
    )
    .bind(reservation.as_uuid())
    .bind(sku.as_str())
    .bind(quantity)
    .execute(connection)
    .await?;
    Ok(())
}
