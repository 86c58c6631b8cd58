//! The books of stock, for `fondaco reconcile`: the figures of every SKU, what its reservations add up to, and what Redis says.

use std::collections::HashMap;

use fondaco_chassis::{ApiError, Redis, Runtime, StartError, database};
use fondaco_contracts::{ReservationId, Sku};
use sqlx::{PgPool, Row};
use uuid::Uuid;

use crate::{
    NAME,
    counters::Counters,
    reservation::ReservationStatus,
    store::{Store, parse_sku, status},
};

/// One SKU. Figures are units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StockBooks {
    /// Which.
    pub sku: Sku,
    /// Units there are, sold ones among them.
    pub total: i64,
    /// Units held, as the stock row says.
    pub held: i64,
    /// Units sold, as the stock row says.
    pub sold: i64,
    /// Units of the lines of reservations that are HELD.
    pub lines_held: i64,
    /// Units of the lines of reservations that are CONFIRMED, less what was returned.
    pub lines_sold: i64,
    /// What Redis says is available and held; none where it has not been asked for this SKU yet.
    pub redis: Option<RedisBooks>,
}

/// What Redis says of one SKU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedisBooks {
    /// Units that can be taken.
    pub available: i64,
    /// Units of its holds.
    pub held: i64,
}

/// Reads the books.
pub struct Books {
    pool: PgPool,
    counters: Counters,
}

impl Books {
    /// Those of the stores that are there.
    pub async fn open(runtime: &Runtime) -> Result<Self, StartError> {
        let pool = database::open_existing(runtime, NAME).await?;
        let redis = Redis::connect(runtime).await?;
        let epoch = Store::new(pool.clone()).epoch().await;
        let epoch = epoch.map_err(|source| StartError::Data {
            service: NAME,
            source,
        })?;
        Ok(Self {
            counters: Counters::new(redis, epoch),
            pool,
        })
    }

    /// All SKUs.
    pub async fn stock(&self) -> Result<Vec<StockBooks>, ApiError> {
        let rows = sqlx::query(
            "SELECT s.sku, s.total, s.held, s.sold,
                coalesce(sum(l.quantity) FILTER (WHERE r.status = 'HELD'), 0)::bigint AS lines_held,
                coalesce(sum(l.quantity - l.returned) FILTER (WHERE r.status = 'CONFIRMED'), 0)::bigint AS lines_sold
             FROM stock s
             LEFT JOIN reservation_line l ON l.sku = s.sku
             LEFT JOIN reservation r ON r.id = l.reservation_id
             GROUP BY s.sku ORDER BY s.sku",
        )
        .fetch_all(&self.pool)
        .await?;
        let mut books = Vec::with_capacity(rows.len());
        for row in rows {
            let sku = parse_sku(row.try_get("sku")?)?;
            books.push(StockBooks {
                redis: self.redis(&sku).await?,
                sku,
                total: row.try_get("total")?,
                held: row.try_get("held")?,
                sold: row.try_get("sold")?,
                lines_held: row.try_get("lines_held")?,
                lines_sold: row.try_get("lines_sold")?,
            });
        }
        Ok(books)
    }

    /// Where reservations stand; those that there are not are left out.
    pub async fn reservations(
        &self,
        ids: &[ReservationId],
    ) -> Result<HashMap<ReservationId, ReservationStatus>, sqlx::Error> {
        let ids: Vec<Uuid> = ids.iter().map(ReservationId::as_uuid).collect();
        let rows = sqlx::query("SELECT id, status FROM reservation WHERE id = ANY($1)")
            .bind(ids)
            .fetch_all(&self.pool)
            .await?;
        rows.iter()
            .map(|row| Ok((row.try_get::<Uuid, _>("id")?.into(), status(row)?)))
            .collect()
    }

    async fn redis(&self, sku: &Sku) -> Result<Option<RedisBooks>, ApiError> {
        let available = self.counters.available(std::slice::from_ref(sku)).await?;
        let Some(available) = available.into_iter().next().flatten() else {
            return Ok(None);
        };
        let held = self.counters.held(sku).await?;
        Ok(Some(RedisBooks { available, held }))
    }
}
