//! Refunds: granted in one transaction with the order's transition, paid back when payment says so.

use fondaco_contracts::{Money, OrderFact, OrderId, RefundId, ReturnedUnits, Sku};
use sqlx::{FromRow, Row, postgres::PgRow};
use uuid::Uuid;

use super::{Key, Order, Store, StoreError, orders::uuids, transitions::record, undecodable};
use crate::order::{Event, Status};

/// Where a refund stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, async_graphql::Enum)]
#[graphql(name = "RefundStatus")]
pub enum RefundStatus {
    /// Granted; the payment provider has not confirmed it yet.
    Pending,
    /// Paid back.
    Paid,
}

/// A stored refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// Its id, and its idempotency key at payment.
    pub id: RefundId,
    /// Of which order.
    pub order: OrderId,
    /// How much.
    pub amount: Money,
    /// Why.
    pub reason: Option<String>,
    /// Where it stands.
    pub status: RefundStatus,
}

/// A refund to be granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRefund<'a> {
    /// Its id.
    pub id: RefundId,
    /// The order as it was read.
    pub order: &'a Order,
    /// How much.
    pub amount: Money,
    /// Why.
    pub reason: Option<&'a str>,
    /// What is given back.
    pub lines: Vec<(Sku, i32)>,
    /// In part or in full.
    pub event: Event,
    /// Where the order goes.
    pub to: Status,
    /// The units return to the stock.
    pub restock: bool,
}

impl Store {
    /// Grants a refund as the completion of `key`. None when the order is no longer as it was read.
    pub async fn grant_refund(&self, key: &Key, new: &NewRefund<'_>) -> Result<Option<Order>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let moved: Option<Order> = sqlx::query_as(
            "update orders set status = $4, version = version + 1, refunded_amount = refunded_amount + $5,
                settle_at = now(), updated_at = now()
             where id = $1 and status = $2 and version = $3 returning *",
        )
        .bind(new.order.id.as_uuid())
        .bind(new.order.status.as_str())
        .bind(new.order.version)
        .bind(new.to.as_str())
        .bind(new.amount.minor_units())
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(moved) = moved else {
            return Ok(None);
        };
        let (skus, quantities): (Vec<&str>, Vec<i32>) = new
            .lines
            .iter()
            .map(|(sku, quantity)| (sku.as_str(), *quantity))
            .unzip();
        sqlx::query(
            "with granted as (
                insert into refund (id, order_id, amount, reason, status, customer_id, idempotency_key)
                values ($1, $2, $3, $4, 'PENDING', $5, $6) returning id
             ), lines as (
                insert into refund_line (refund_id, sku, quantity)
                select granted.id, line.* from granted, unnest($7::text[], $8::int[]) as line
                returning sku, quantity
             ), completed as (
                update idempotency_record set outcome = 'DONE' where customer_id = $5 and idempotency_key = $6
             )
             update order_line set refunded_quantity = refunded_quantity + lines.quantity
             from lines where order_line.order_id = $2 and order_line.sku = lines.sku",
        )
        .bind(new.id.as_uuid())
        .bind(moved.id.as_uuid())
        .bind(new.amount.minor_units())
        .bind(new.reason)
        .bind(key.customer.as_uuid())
        .bind(&key.text)
        .bind(skus)
        .bind(quantities)
        .execute(&mut *transaction)
        .await?;
        let mut fact = OrderFact::new(new.event.published(), moved.id, moved.reservation);
        fact.returned = if new.restock {
            returned(&new.lines)
        } else {
            Vec::new()
        };
        record(
            &mut transaction,
            &moved,
            new.event,
            Some(new.order.status),
            &fact.event(),
        )
        .await?;
        transaction.commit().await?;
        Ok(Some(moved))
    }

    /// The refund that `key` was used for.
    pub async fn refund_by_key(&self, key: &Key) -> Result<Option<Refund>, StoreError> {
        let refund = sqlx::query_as(
            "select r.*, o.currency from refund r join orders o on o.id = r.order_id
             where r.customer_id = $1 and r.idempotency_key = $2",
        )
        .bind(key.customer.as_uuid())
        .bind(&key.text)
        .fetch_optional(&self.pool)
        .await?;
        Ok(refund)
    }

    /// The refunds of many orders, in one statement, oldest first.
    pub async fn refunds_of(&self, orders: &[OrderId]) -> Result<Vec<Refund>, StoreError> {
        let refunds = sqlx::query_as(
            "select r.*, o.currency from refund r join orders o on o.id = r.order_id
             where r.order_id = any($1) order by r.id",
        )
        .bind(uuids(orders))
        .fetch_all(&self.pool)
        .await?;
        Ok(refunds)
    }

    /// Stores that a refund was paid back.
    pub async fn refund_paid(&self, refund: RefundId) -> Result<(), StoreError> {
        sqlx::query("update refund set status = 'PAID' where id = $1")
            .bind(refund.as_uuid())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Stores that no money is held for an order any more that was called off or failed.
    pub async fn paid_back(&self, order: OrderId) -> Result<(), StoreError> {
        sqlx::query("update orders set refund_due = false where id = $1 and refund_due")
            .bind(order.as_uuid())
            .execute(&self.pool)
            .await?;
        self.settled(order).await
    }

    /// Stores that nothing is left to settle about an order, unless there is.
    pub async fn settled(&self, order: OrderId) -> Result<(), StoreError> {
        sqlx::query(
            "update orders set settle_at = null
             where id = $1 and status <> 'PENDING' and not refund_due
                and not exists (select from refund where order_id = $1 and refund.status = 'PENDING')",
        )
        .bind(order.as_uuid())
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

fn returned(lines: &[(Sku, i32)]) -> Vec<ReturnedUnits> {
    lines
        .iter()
        .map(|(sku, quantity)| ReturnedUnits {
            sku: sku.clone(),
            quantity: *quantity,
        })
        .collect()
}

impl FromRow<'_, PgRow> for Refund {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let currency: &str = row.try_get("currency")?;
        let currency = currency.parse().map_err(undecodable)?;
        let paid = row.try_get::<&str, _>("status")? == "PAID";
        Ok(Self {
            id: row.try_get::<Uuid, _>("id")?.into(),
            order: row.try_get::<Uuid, _>("order_id")?.into(),
            amount: Money::new(row.try_get("amount")?, currency).map_err(undecodable)?,
            reason: row.try_get("reason")?,
            status: if paid {
                RefundStatus::Paid
            } else {
                RefundStatus::Pending
            },
        })
    }
}
