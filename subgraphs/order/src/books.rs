//! The books of orders, for `fondaco reconcile`: what was sold for how much, and what was given back.

use std::collections::HashSet;

use fondaco_chassis::{Runtime, StartError, database};
use fondaco_contracts::{OrderId, ReservationId};
use sqlx::{FromRow, PgPool, Row, postgres::PgRow};
use uuid::Uuid;

use crate::{NAME, order::Status, store::undecodable};

/// One order, as this service has it. Amounts are minor units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderBooks {
    /// Which.
    pub id: OrderId,
    /// The name of its hold at inventory.
    pub reservation: ReservationId,
    /// Where it stands.
    pub status: Status,
    /// What all lines cost.
    pub total: i64,
    /// The sum of quantity × price of its lines.
    pub lines: i64,
    /// What was granted back.
    pub granted: i64,
    /// The sum of its refunds that payment has confirmed.
    pub paid_back: i64,
    /// Its payment, or what is to be given back of it, is not settled yet.
    pub is_open: bool,
    /// It should have been settled by now.
    pub is_overdue: bool,
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

    /// At most `limit` orders after `after`, by id. Drafts are no orders yet.
    pub async fn page(&self, after: Option<OrderId>, limit: i64) -> Result<Vec<OrderBooks>, sqlx::Error> {
        sqlx::query_as(
            "select o.id, o.reservation_id, o.status, o.amount, o.refunded_amount,
                (select coalesce(sum(quantity * unit_amount), 0)::bigint from order_line where order_id = o.id) as lines,
                (select coalesce(sum(amount), 0)::bigint from refund where order_id = o.id and status = 'PAID') as paid_back,
                o.settle_at is not null as is_open,
                o.settle_at is not null
                    and case when o.status = 'PENDING' then o.held_until else o.updated_at end + interval '30 seconds' < now()
                    as is_overdue
             from orders o where o.id > $1 and o.status <> 'DRAFT' order by o.id limit $2",
        )
        .bind(after.map_or(Uuid::nil(), |id| id.as_uuid()))
        .bind(limit)
        .fetch_all(&self.pool)
        .await
    }

    /// Those of `ids` that are orders.
    pub async fn known(&self, ids: &[OrderId]) -> Result<HashSet<OrderId>, sqlx::Error> {
        let ids: Vec<Uuid> = ids.iter().map(OrderId::as_uuid).collect();
        let known: Vec<Uuid> = sqlx::query_scalar("select id from orders where id = any($1)")
            .bind(ids)
            .fetch_all(&self.pool)
            .await?;
        Ok(known.into_iter().map(OrderId::from).collect())
    }
}

impl FromRow<'_, PgRow> for OrderBooks {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let status: &str = row.try_get("status")?;
        Ok(Self {
            id: row.try_get::<Uuid, _>("id")?.into(),
            reservation: row.try_get::<Uuid, _>("reservation_id")?.into(),
            status: status.parse().map_err(undecodable)?,
            total: row.try_get("amount")?,
            lines: row.try_get("lines")?,
            granted: row.try_get("refunded_amount")?,
            paid_back: row.try_get("paid_back")?,
            is_open: row.try_get("is_open")?,
            is_overdue: row.try_get("is_overdue")?,
        })
    }
}
