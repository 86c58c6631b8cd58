//! Orders and their lines. Every status change is conditional on the status and version read, and commits with its outbox row.

use std::time::Duration;

use chrono::{DateTime, Utc};
use fondaco_contracts::{Money, OrderEvent, OrderId, Sku, UserId};
use sqlx::{FromRow, Row, postgres::PgRow};
use uuid::Uuid;

use super::{Key, Store, StoreError, undecodable};
use crate::order::Status;

/// A stored order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// Who bought.
    pub customer: UserId,
    /// Where it stands.
    pub status: Status,
    /// Counts transitions.
    pub version: i32,
    /// What all lines cost.
    pub total: Money,
    /// Why it failed.
    pub failure: Option<String>,
    /// When the hold on its stock lapses.
    pub held_until: DateTime<Utc>,
    /// Money may be held although it is cancelled.
    pub refund_due: bool,
    /// When it was placed.
    pub created_at: DateTime<Utc>,
}

/// A stored line of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Of which order.
    pub order: OrderId,
    /// What was bought.
    pub sku: Sku,
    /// How many.
    pub quantity: i32,
    /// The price of one, in minor units of the order's currency.
    pub unit_amount: i64,
}

/// A line to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLine {
    /// What is bought.
    pub sku: Sku,
    /// What it is called now.
    pub name: String,
    /// How many.
    pub quantity: i32,
    /// The price of one now.
    pub unit_price: Money,
}

/// An order to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOrder {
    /// Its id.
    pub id: OrderId,
    /// What all lines cost.
    pub total: Money,
    /// When the hold on its stock lapses.
    pub held_until: DateTime<Utc>,
    /// What is bought.
    pub lines: Vec<NewLine>,
}

/// A status change to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition<'a> {
    /// The order as it was read.
    pub order: &'a Order,
    /// Where it goes.
    pub to: Status,
    /// Why, when it fails.
    pub failure: Option<&'a str>,
    /// Money must be given back afterwards.
    pub refund_due: bool,
    /// The key of the operation that this completes.
    pub key: Option<&'a Key>,
}

impl Store {
    /// Stores a PENDING order, its lines and its event, and completes the key: all or nothing. None when the key has an outcome, or another order id.
    pub async fn place(
        &self,
        key: &Key,
        new: &NewOrder,
        settle_after: Duration,
    ) -> Result<Option<Order>, StoreError> {
        let event = OrderEvent::Created.about(new.id);
        let order = sqlx::query_as(
            "with claimed as (
                update idempotency_record set outcome = 'ORDERED'
                where customer_id = $1 and idempotency_key = $2 and order_id = $16 and outcome is null
                returning order_id
             ), placed as (
                insert into orders (id, customer_id, status, amount, currency, held_until, settle_at)
                select order_id, $1, 'PENDING', $3, $4, $5, now() + make_interval(secs => $6) from claimed
                returning *
             ), lines as (
                insert into order_line (order_id, position, sku, name, quantity, unit_amount)
                select placed.id, line.position, line.sku, line.name, line.quantity, line.unit_amount
                from placed, unnest($7::text[], $8::text[], $9::int[], $10::bigint[])
                    with ordinality as line (sku, name, quantity, unit_amount, position)
             ), published as (
                insert into outbox (id, aggregate_id, name, payload, occurred_at)
                select $11, $12, $13, $14, $15 from placed
             )
             select * from placed",
        )
        .bind(key.customer.as_uuid())
        .bind(&key.text)
        .bind(new.total.minor_units())
        .bind(new.total.currency.as_str())
        .bind(new.held_until)
        .bind(settle_after.as_secs_f64())
        .bind(new.lines.iter().map(|line| line.sku.as_str()).collect::<Vec<_>>())
        .bind(
            new.lines
                .iter()
                .map(|line| line.name.as_str())
                .collect::<Vec<_>>(),
        )
        .bind(new.lines.iter().map(|line| line.quantity).collect::<Vec<_>>())
        .bind(
            new.lines
                .iter()
                .map(|line| line.unit_price.minor_units())
                .collect::<Vec<_>>(),
        )
        .bind(event.id.as_uuid())
        .bind(event.aggregate_id)
        .bind(event.name)
        .bind(event.payload)
        .bind(event.occurred_at)
        .bind(new.id.as_uuid())
        .fetch_optional(&self.pool)
        .await?;
        Ok(order)
    }

    /// Stores a status change with its event. None when the order is no longer as it was read.
    pub async fn transition(&self, change: &Transition<'_>) -> Result<Option<Order>, StoreError> {
        let event = event(change.to).about(change.order.id);
        let order = sqlx::query_as(
            "with moved as (
                update orders set status = $4, version = version + 1, failure = $5, refund_due = $6,
                    settle_at = case when $6 then now() end, updated_at = now()
                where id = $1 and status = $2 and version = $3
                returning *
             ), completed as (
                update idempotency_record set outcome = 'ORDERED'
                where customer_id = $7 and idempotency_key = $8 and exists (select from moved)
             ), published as (
                insert into outbox (id, aggregate_id, name, payload, occurred_at)
                select $9, $10, $11, $12, $13 from moved
             )
             select * from moved",
        )
        .bind(change.order.id.as_uuid())
        .bind(change.order.status.as_str())
        .bind(change.order.version)
        .bind(change.to.as_str())
        .bind(change.failure)
        .bind(change.refund_due)
        .bind(change.key.map(|key| key.customer.as_uuid()))
        .bind(change.key.map(|key| key.text.as_str()))
        .bind(event.id.as_uuid())
        .bind(event.aggregate_id)
        .bind(event.name)
        .bind(event.payload)
        .bind(event.occurred_at)
        .fetch_optional(&self.pool)
        .await?;
        Ok(order)
    }

    /// Makes the sweeper look at an open order at another time.
    pub async fn settle_in(&self, order: OrderId, pause: Duration) -> Result<(), StoreError> {
        sqlx::query(
            "update orders set settle_at = now() + make_interval(secs => $2) where id = $1 and settle_at is not null",
        )
        .bind(order.as_uuid())
        .bind(pause.as_secs_f64())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Stores that no money is held for a cancelled order any more.
    pub async fn refunded(&self, order: OrderId) -> Result<(), StoreError> {
        sqlx::query("update orders set refund_due = false, settle_at = null where id = $1 and refund_due")
            .bind(order.as_uuid())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Orders whose settlement is due, which then counts as tried: no other sweeper gets them before `again` has passed.
    pub async fn take_due(&self, limit: i64, again: Duration) -> Result<Vec<Order>, StoreError> {
        let orders = sqlx::query_as(
            "update orders set settle_at = now() + make_interval(secs => $2)
             where id in (
                select id from orders where settle_at <= now() order by settle_at limit $1 for update skip locked
             )
             returning *",
        )
        .bind(limit)
        .bind(again.as_secs_f64())
        .fetch_all(&self.pool)
        .await?;
        Ok(orders)
    }

    /// One order.
    pub async fn order(&self, id: OrderId) -> Result<Option<Order>, StoreError> {
        Ok(self.orders(&[id]).await?.pop())
    }

    /// Many orders, in one statement; unknown ids are left out.
    pub async fn orders(&self, ids: &[OrderId]) -> Result<Vec<Order>, StoreError> {
        let ids: Vec<Uuid> = ids.iter().map(OrderId::as_uuid).collect();
        Ok(sqlx::query_as("select * from orders where id = any($1)")
            .bind(ids)
            .fetch_all(&self.pool)
            .await?)
    }

    /// A customer's orders, newest first, older than `after`.
    pub async fn orders_of(
        &self,
        customer: UserId,
        after: Option<OrderId>,
        limit: i64,
    ) -> Result<Vec<Order>, StoreError> {
        let orders = sqlx::query_as(
            "select * from orders where customer_id = $1 and id < $2 order by id desc limit $3",
        )
        .bind(customer.as_uuid())
        .bind(after.map_or(Uuid::max(), |id| id.as_uuid()))
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        Ok(orders)
    }

    /// The lines of many orders, in one statement, each order's in their order.
    pub async fn lines_of(&self, orders: &[OrderId]) -> Result<Vec<Line>, StoreError> {
        let ids: Vec<Uuid> = orders.iter().map(OrderId::as_uuid).collect();
        let lines = sqlx::query_as(
            "select order_id, sku, quantity, unit_amount from order_line
             where order_id = any($1) order by order_id, position",
        )
        .bind(ids)
        .fetch_all(&self.pool)
        .await?;
        Ok(lines)
    }
}

fn event(to: Status) -> OrderEvent {
    match to {
        Status::Pending => OrderEvent::Created,
        Status::Confirmed => OrderEvent::Confirmed,
        Status::Cancelled => OrderEvent::Cancelled,
        Status::Failed => OrderEvent::Failed,
    }
}

impl FromRow<'_, PgRow> for Order {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let status: &str = row.try_get("status")?;
        let currency: &str = row.try_get("currency")?;
        let currency = currency.parse().map_err(undecodable)?;
        Ok(Self {
            id: row.try_get::<Uuid, _>("id")?.into(),
            customer: row.try_get::<Uuid, _>("customer_id")?.into(),
            status: status.parse().map_err(undecodable)?,
            version: row.try_get("version")?,
            total: Money::new(row.try_get("amount")?, currency).map_err(undecodable)?,
            failure: row.try_get("failure")?,
            held_until: row.try_get("held_until")?,
            refund_due: row.try_get("refund_due")?,
            created_at: row.try_get("created_at")?,
        })
    }
}

impl FromRow<'_, PgRow> for Line {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let sku: String = row.try_get("sku")?;
        Ok(Self {
            order: row.try_get::<Uuid, _>("order_id")?.into(),
            sku: sku.parse().map_err(undecodable)?,
            quantity: row.try_get("quantity")?,
            unit_amount: row.try_get("unit_amount")?,
        })
    }
}
