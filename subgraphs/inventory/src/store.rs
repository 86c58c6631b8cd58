//! Inventory's database: reading stock and open holds. Writing has files of its own: `hold`, `settle`, `give_back`, `adjust`, `epoch`.
//!
//! Locks are taken in one order everywhere, so that no two transactions wait for each other: reservations by id, then stock by SKU.

pub mod adjust;
pub mod epoch;
pub mod give_back;
pub mod hold;
pub mod settle;

use chrono::{DateTime, Utc};
use fondaco_contracts::{ReservationId, Sku, UserId};
use sqlx::{FromRow, PgConnection, PgPool, Postgres, Row, Transaction, postgres::PgRow};
use uuid::Uuid;

use crate::reservation::ReservationStatus;

/// Inventory's database.
#[derive(Clone, Debug)]
pub struct Store {
    pool: PgPool,
}

/// The stock of one SKU.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StockRow {
    /// Which.
    pub sku: Sku,
    /// Units there have ever been, less those taken away.
    pub total: i64,
    /// Units sold.
    pub sold: i64,
    /// Units held.
    pub held: i64,
}

impl StockRow {
    /// Units neither sold nor held.
    pub const fn available(&self) -> i64 {
        self.total - self.sold - self.held
    }
}

/// A line of a reservation that is held.
#[derive(Clone, Debug)]
pub struct OpenHold {
    /// Of what.
    pub sku: Sku,
    /// The reservation.
    pub reservation: ReservationId,
    /// Whose it is.
    pub customer: UserId,
    /// How many units.
    pub quantity: i64,
    /// They count against a limit per customer.
    pub limited: bool,
    /// The hash of the reservation's parameters.
    pub parameters: String,
    /// Until it expires, in milliseconds.
    pub remaining_ms: i64,
}

/// What a customer holds and has bought of a SKU under its limit.
#[derive(Clone, Debug)]
pub struct CustomerUnits {
    /// Of what.
    pub sku: Sku,
    /// Who.
    pub customer: UserId,
    /// How many units.
    pub units: i64,
}

/// A reservation as it is stored.
#[derive(Clone, Debug)]
pub struct StoredReservation {
    /// Its id.
    pub id: ReservationId,
    /// The hash of its parameters.
    pub parameters: String,
    /// Where it stands.
    pub status: ReservationStatus,
    /// Until when it is held.
    pub expires_at: DateTime<Utc>,
}

impl Store {
    /// A store on an open, migrated pool.
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// A transaction, for those who combine what this module offers.
    pub async fn begin(&self) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        self.pool.begin().await
    }

    /// The stock of those of `skus` that have any, in any order.
    pub async fn stock(&self, skus: &[Sku]) -> Result<Vec<StockRow>, sqlx::Error> {
        sqlx::query_as("SELECT sku, total, sold, held FROM stock WHERE sku = ANY($1)")
            .bind(texts(skus))
            .fetch_all(&self.pool)
            .await
    }

    /// Every SKU that has stock.
    pub async fn skus(&self) -> Result<Vec<Sku>, sqlx::Error> {
        let skus: Vec<String> = sqlx::query_scalar("SELECT sku FROM stock ORDER BY sku")
            .fetch_all(&self.pool)
            .await?;
        skus.into_iter().map(parse_sku).collect()
    }

    /// Gives SKUs without stock theirs.
    pub async fn seed(&self, skus: &[Sku], totals: &[i64]) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO stock (sku, total) SELECT * FROM unnest($1::text[], $2::bigint[])
             ON CONFLICT (sku) DO NOTHING",
        )
        .bind(texts(skus))
        .bind(totals)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The reservations among `ids` that exist, in any order.
    pub async fn reservations(&self, ids: &[ReservationId]) -> Result<Vec<StoredReservation>, sqlx::Error> {
        let mut connection = self.pool.acquire().await?;
        reservations(&mut connection, ids).await
    }
}

/// The stock of `skus`, locked until the transaction ends.
pub async fn lock_stock(connection: &mut PgConnection, skus: &[Sku]) -> Result<Vec<StockRow>, sqlx::Error> {
    sqlx::query_as("SELECT sku, total, sold, held FROM stock WHERE sku = ANY($1) ORDER BY sku FOR UPDATE")
        .bind(texts(skus))
        .fetch_all(connection)
        .await
}

/// The open holds of `skus`.
///
/// `OFFSET 0` has Postgres go through the open reservations and look up the lines of each. Left to itself it may look for every SKU in
/// every reservation, which takes minutes for a hundred thousand holds, or read all lines there have ever been.
pub async fn open_holds(connection: &mut PgConnection, skus: &[Sku]) -> Result<Vec<OpenHold>, sqlx::Error> {
    sqlx::query_as(
        "SELECT l.sku, r.id AS reservation_id, r.customer_id, l.quantity, l.limited, r.parameters,
                greatest(0, extract(epoch FROM r.expires_at - now()) * 1000)::bigint AS remaining_ms
         FROM reservation r CROSS JOIN LATERAL (
             SELECT sku, quantity, limited FROM reservation_line WHERE reservation_id = r.id OFFSET 0) l
         WHERE r.status = 'HELD' AND l.sku = ANY($1)",
    )
    .bind(texts(skus))
    .fetch_all(connection)
    .await
}

/// What customers hold and have bought of `skus` under a limit.
pub async fn limited_units(
    connection: &mut PgConnection,
    skus: &[Sku],
) -> Result<Vec<CustomerUnits>, sqlx::Error> {
    sqlx::query_as(
        "SELECT l.sku, r.customer_id, sum(l.quantity - l.returned)::bigint AS units
         FROM reservation_line l JOIN reservation r ON r.id = l.reservation_id
         WHERE l.limited AND l.sku = ANY($1) AND r.status IN ('HELD', 'CONFIRMED')
         GROUP BY l.sku, r.customer_id",
    )
    .bind(texts(skus))
    .fetch_all(connection)
    .await
}

async fn reservations(
    connection: &mut PgConnection,
    ids: &[ReservationId],
) -> Result<Vec<StoredReservation>, sqlx::Error> {
    sqlx::query_as("SELECT id, parameters, status, expires_at FROM reservation WHERE id = ANY($1)")
        .bind(uuids(ids))
        .fetch_all(connection)
        .await
}

impl FromRow<'_, PgRow> for StockRow {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            sku: parse_sku(row.try_get("sku")?)?,
            total: row.try_get("total")?,
            sold: row.try_get("sold")?,
            held: row.try_get("held")?,
        })
    }
}

impl FromRow<'_, PgRow> for OpenHold {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            sku: parse_sku(row.try_get("sku")?)?,
            reservation: row.try_get::<Uuid, _>("reservation_id")?.into(),
            customer: row.try_get::<Uuid, _>("customer_id")?.into(),
            quantity: row.try_get("quantity")?,
            limited: row.try_get("limited")?,
            parameters: row.try_get("parameters")?,
            remaining_ms: row.try_get("remaining_ms")?,
        })
    }
}

impl FromRow<'_, PgRow> for CustomerUnits {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            sku: parse_sku(row.try_get("sku")?)?,
            customer: row.try_get::<Uuid, _>("customer_id")?.into(),
            units: row.try_get("units")?,
        })
    }
}

impl FromRow<'_, PgRow> for StoredReservation {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.try_get::<Uuid, _>("id")?.into(),
            parameters: row.try_get("parameters")?,
            status: status(row)?,
            expires_at: row.try_get("expires_at")?,
        })
    }
}

pub(crate) fn status(row: &PgRow) -> Result<ReservationStatus, sqlx::Error> {
    ReservationStatus::from_stored(row.try_get("status")?).ok_or_else(|| corrupt("status"))
}

pub(crate) fn parse_sku(text: String) -> Result<Sku, sqlx::Error> {
    Sku::try_from(text).map_err(|_| corrupt("sku"))
}

/// A value that nothing of ours writes.
fn corrupt(column: &str) -> sqlx::Error {
    sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: "the value is impossible".into(),
    }
}

fn texts(skus: &[Sku]) -> Vec<&str> {
    skus.iter().map(Sku::as_str).collect()
}

fn uuids(ids: &[ReservationId]) -> Vec<Uuid> {
    ids.iter().map(ReservationId::as_uuid).collect()
}
