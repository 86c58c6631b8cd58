//! The books of payments, for `fondaco reconcile`: what the ledger says of every order.

use fondaco_chassis::{Runtime, StartError, database};
use fondaco_contracts::OrderId;
use sqlx::{FromRow, PgPool, Row, postgres::PgRow};
use uuid::Uuid;

use crate::{NAME, status::Status};

/// The money of one order. Amounts are minor units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentBooks {
    /// Of which order.
    pub order: OrderId,
    /// Where the payment stands.
    pub status: Status,
    /// What was asked for; none where nothing ever was.
    pub amount: Option<i64>,
    /// What the payment says was given back.
    pub refunded: i64,
    /// What the ledger says was taken.
    pub ledger_captured: i64,
    /// What the ledger says was given back.
    pub ledger_refunded: i64,
}

/// Reads the books.
#[derive(Clone, Debug)]
pub struct Books {
    pool: PgPool,
}

impl Books {
    /// Those of the database that is there.
    pub async fn open(runtime: &Runtime) -> Result<Self, StartError> {
        let pool = database::open_existing(runtime, NAME).await?;
        Ok(Self { pool })
    }

    /// The payments of `orders`; those without one are left out.
    pub async fn of(&self, orders: &[OrderId]) -> Result<Vec<PaymentBooks>, sqlx::Error> {
        let ids: Vec<Uuid> = orders.iter().map(OrderId::as_uuid).collect();
        sqlx::query_as(
            "select c.order_id, c.status, c.amount, c.refunded_amount,
                coalesce(sum(l.amount) filter (where l.kind = 'CAPTURED'), 0)::bigint as captured,
                coalesce(sum(l.amount) filter (where l.kind = 'REFUNDED'), 0)::bigint as given_back
             from charge c left join ledger_entry l on l.order_id = c.order_id
             where c.order_id = any($1) group by c.order_id",
        )
        .bind(ids)
        .fetch_all(&self.pool)
        .await
    }

    /// At most `limit` orders with money in the ledger after `after`, by id.
    pub async fn page(&self, after: Option<OrderId>, limit: i64) -> Result<Vec<OrderId>, sqlx::Error> {
        let ids: Vec<Uuid> = sqlx::query_scalar(
            "select distinct order_id from ledger_entry where order_id > $1 order by order_id limit $2",
        )
        .bind(after.map_or(Uuid::nil(), |id| id.as_uuid()))
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        Ok(ids.into_iter().map(OrderId::from).collect())
    }
}

impl FromRow<'_, PgRow> for PaymentBooks {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let status: Result<Status, String> = row.try_get::<&str, _>("status")?.parse();
        Ok(Self {
            order: row.try_get::<Uuid, _>("order_id")?.into(),
            status: status.map_err(|error| sqlx::Error::Decode(error.into()))?,
            amount: row.try_get("amount")?,
            refunded: row.try_get("refunded_amount")?,
            ledger_captured: row.try_get("captured")?,
            ledger_refunded: row.try_get("given_back")?,
        })
    }
}
