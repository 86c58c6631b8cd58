//! Refunds and the ledger. A charge's row is locked while a refund is planned, so that all refunds together never exceed it.

use fondaco_contracts::{Money, OrderId, RefundId};
use sqlx::{FromRow, Row, postgres::PgRow};
use uuid::Uuid;

use super::{Store, StoreError};

/// A refund that the provider is to be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// Its id, and its idempotency key at the provider.
    pub id: RefundId,
    /// Of which order.
    pub order: OrderId,
    /// How much.
    pub amount: Money,
    /// The provider has paid it.
    pub paid: bool,
}

/// What became of a plan to refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Planned {
    /// It is recorded, now or before.
    Recorded(Refund),
    /// All that was captured is refunded, or planned to be.
    NothingLeft,
    /// More than is left.
    Exceeds,
    /// Nothing is captured.
    NotCaptured,
}

impl Store {
    /// Records a refund before the provider is asked; of all that is left where `amount` is none. Repeating it changes nothing.
    pub async fn plan_refund(
        &self,
        order: OrderId,
        refund: RefundId,
        amount: Option<i64>,
    ) -> Result<Planned, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let captured: Option<i64> = sqlx::query_scalar(
            "select amount from charge
             where order_id = $1 and status in ('CAPTURED', 'PARTIALLY_REFUNDED', 'REFUNDED') for update",
        )
        .bind(order.as_uuid())
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(captured) = captured else {
            return Ok(Planned::NotCaptured);
        };
        // A statement of its own: it must see what was committed while this one waited for the lock.
        let planned: i64 =
            sqlx::query_scalar("select coalesce(sum(amount), 0)::bigint from refund where order_id = $1")
                .bind(order.as_uuid())
                .fetch_one(&mut *transaction)
                .await?;
        let left = captured - planned;
        let recorded: Option<Refund> = sqlx::query_as(SELECT_ONE)
            .bind(refund.as_uuid())
            .fetch_optional(&mut *transaction)
            .await?;
        if let Some(recorded) = recorded {
            return Ok(Planned::Recorded(recorded));
        }
        let amount = amount.unwrap_or(left);
        if amount > left {
            return Ok(Planned::Exceeds);
        }
        if amount == 0 {
            return Ok(Planned::NothingLeft);
        }
        sqlx::query("insert into refund (id, order_id, amount, status) values ($1, $2, $3, 'PENDING')")
            .bind(refund.as_uuid())
            .bind(order.as_uuid())
            .bind(amount)
            .execute(&mut *transaction)
            .await?;
        let recorded = sqlx::query_as(SELECT_ONE)
            .bind(refund.as_uuid())
            .fetch_one(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(Planned::Recorded(recorded))
    }

    /// The refunds of an order that are not paid yet.
    pub async fn open_refunds(&self, order: OrderId) -> Result<Vec<Refund>, StoreError> {
        let refunds = sqlx::query_as(
            "select r.id, r.order_id, r.amount, r.status, c.currency from refund r join charge c using (order_id)
             where r.order_id = $1 and r.status = 'PENDING' order by r.id",
        )
        .bind(order.as_uuid())
        .fetch_all(&self.pool)
        .await?;
        Ok(refunds)
    }

    /// Stores and books that the provider has paid a refund; changes nothing when that is stored already.
    pub async fn refund_paid(&self, refund: RefundId) -> Result<(), StoreError> {
        sqlx::query(
            "with paid as (
                update refund set status = 'PAID' where id = $1 and status = 'PENDING' returning id, order_id, amount
             ), booked as (
                insert into ledger_entry (order_id, kind, amount, reference)
                select order_id, 'REFUNDED', amount, id from paid
             )
             update charge set refunded_amount = refunded_amount + paid.amount, updated_at = now(),
                status = case when refunded_amount + paid.amount = charge.amount then 'REFUNDED' else 'PARTIALLY_REFUNDED' end
             from paid where charge.order_id = paid.order_id",
        )
        .bind(refund.as_uuid())
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

const SELECT_ONE: &str = "select r.id, r.order_id, r.amount, r.status, c.currency
    from refund r join charge c using (order_id) where r.id = $1";

impl FromRow<'_, PgRow> for Refund {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let currency: &str = row.try_get("currency")?;
        let currency = currency
            .parse()
            .map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        let amount = Money::new(row.try_get("amount")?, currency);
        Ok(Self {
            id: row.try_get::<Uuid, _>("id")?.into(),
            order: row.try_get::<Uuid, _>("order_id")?.into(),
            amount: amount.map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
            paid: row.try_get::<&str, _>("status")? == "PAID",
        })
    }
}
