//! Placing orders and changing their status. Every change is conditional on the status and version read, and commits with its history
//! and its outbox row.

use std::time::Duration;

use chrono::{DateTime, Utc};
use fondaco_contracts::{Event as OutboxEvent, Money, OrderFact, OrderId, ReservationId, Sku};
use sqlx::{PgConnection, PgExecutor};

use super::{Key, Order, Store, StoreError};
use crate::order::{Event, Status};

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

/// An order to be stored as placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOrder {
    /// Its id.
    pub id: OrderId,
    /// The name of its hold at inventory.
    pub reservation: ReservationId,
    /// What all lines cost.
    pub total: Money,
    /// When the hold on its stock lapses.
    pub held_until: DateTime<Utc>,
    /// What is bought.
    pub lines: Vec<NewLine>,
    /// The lines are the customer's wishlist.
    pub from_wishlist: bool,
}

/// A status change to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition<'a> {
    /// The order as it was read.
    pub order: &'a Order,
    /// What happened.
    pub event: Event,
    /// Where it goes.
    pub to: Status,
    /// Why, when it fails.
    pub failure: Option<&'a str>,
    /// By which it can be followed, when it is sent.
    pub tracking_code: Option<&'a str>,
    /// Money must be given back afterwards.
    pub refund_due: bool,
    /// The key of the operation that this completes.
    pub key: Option<&'a Key>,
}

impl<'a> Transition<'a> {
    /// A change with nothing more to say.
    pub fn new(order: &'a Order, event: Event, to: Status) -> Self {
        Self {
            order,
            event,
            to,
            failure: None,
            tracking_code: None,
            refund_due: false,
            key: None,
        }
    }
}

impl Store {
    /// Stores a PENDING order with its lines, and completes the key: all or nothing. None when the key has an outcome, or another
    /// reservation.
    pub async fn place(
        &self,
        key: &Key,
        new: &NewOrder,
        settle_after: Duration,
    ) -> Result<Option<Order>, StoreError> {
        let event = OrderFact::new(Event::Placed.published(), new.id, new.reservation).event();
        let lines = Columns::of(&new.lines);
        let order = sqlx::query_as(
            "with claimed as (
                update idempotency_record set outcome = 'ORDERED'
                where customer_id = $1 and idempotency_key = $2 and order_id = $16
                    and coalesce(reservation_id, order_id) = $17 and outcome is null
                returning order_id
             ), placed as (
                insert into orders (id, customer_id, reservation_id, status, amount, currency, held_until, settle_at, from_wishlist)
                select order_id, $1, $17, 'PENDING', $3, $4, $5, now() + make_interval(secs => $6), $18 from claimed
                returning *
             ), lines as (
                insert into order_line (order_id, position, sku, name, quantity, unit_amount)
                select placed.id, line.position, line.sku, line.name, line.quantity, line.unit_amount
                from placed, unnest($7::text[], $8::text[], $9::int[], $10::bigint[])
                    with ordinality as line (sku, name, quantity, unit_amount, position)
             ), recorded as (
                insert into order_transition (order_id, version, event, to_status)
                select id, version, $19, status from placed
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
        .bind(lines.skus)
        .bind(lines.names)
        .bind(lines.quantities)
        .bind(lines.unit_amounts)
        .bind(event.id.as_uuid())
        .bind(event.aggregate_id)
        .bind(event.name)
        .bind(event.payload)
        .bind(event.occurred_at)
        .bind(new.id.as_uuid())
        .bind(new.reservation.as_uuid())
        .bind(new.from_wishlist)
        .bind(Event::Placed.as_str())
        .fetch_optional(&self.pool)
        .await?;
        Ok(order)
    }

    /// Stores a status change. None when the order is no longer as it was read.
    pub async fn transition(&self, change: &Transition<'_>) -> Result<Option<Order>, StoreError> {
        make(&self.pool, change).await
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

    /// Makes the sweeper look at an open order when its hold lapses.
    pub async fn settle_at_lapse(&self, order: OrderId) -> Result<(), StoreError> {
        sqlx::query("update orders set settle_at = held_until where id = $1 and settle_at is not null and held_until is not null")
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
}

/// As [`Store::transition`], in the caller's transaction where it has one.
pub async fn make(
    executor: impl PgExecutor<'_>,
    change: &Transition<'_>,
) -> Result<Option<Order>, StoreError> {
    let (order, published) = (change.order, change.event.published());
    let event = OrderFact::new(published, order.id, order.reservation).event();
    let order = sqlx::query_as(
        "with moved as (
            update orders set status = $4, version = version + 1, failure = $5, refund_due = $6,
                tracking_code = coalesce($15, tracking_code), updated_at = now(),
                settle_at = case when $6 or exists (select from refund where order_id = $1 and refund.status = 'PENDING') then now() end
            where id = $1 and status = $2 and version = $3
            returning *
         ), completed as (
            update idempotency_record set outcome = 'DONE'
            where customer_id = $7 and idempotency_key = $8 and exists (select from moved)
         ), recorded as (
            insert into order_transition (order_id, version, event, from_status, to_status, reason)
            select id, version, $14, $2, status, $5 from moved
         ), emptied as (
            delete from wishlist_item w using moved m, order_line l
            where m.from_wishlist and m.status = 'CONFIRMED' and l.order_id = m.id
                and w.customer_id = m.customer_id and w.sku = l.sku
         ), published as (
            insert into outbox (id, aggregate_id, name, payload, occurred_at)
            select $9, $10, $11, $12, $13 from moved
         )
         select * from moved",
    )
    .bind(order.id.as_uuid())
    .bind(order.status.as_str())
    .bind(order.version)
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
    .bind(change.event.as_str())
    .bind(change.tracking_code)
    .fetch_optional(executor)
    .await?;
    Ok(order)
}

/// Lines, column by column, as `unnest` takes them.
pub(super) struct Columns<'a> {
    pub skus: Vec<&'a str>,
    pub names: Vec<&'a str>,
    pub quantities: Vec<i32>,
    pub unit_amounts: Vec<i64>,
}

impl<'a> Columns<'a> {
    pub fn of(lines: &'a [NewLine]) -> Self {
        Self {
            skus: lines.iter().map(|line| line.sku.as_str()).collect(),
            names: lines.iter().map(|line| line.name.as_str()).collect(),
            quantities: lines.iter().map(|line| line.quantity).collect(),
            unit_amounts: lines.iter().map(|line| line.unit_price.minor_units()).collect(),
        }
    }
}

/// The history and the outbox row of a change made in a transaction.
pub(super) async fn record(
    connection: &mut PgConnection,
    order: &Order,
    event: Event,
    from: Option<Status>,
    published: &OutboxEvent,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into order_transition (order_id, version, event, from_status, to_status) values ($1, $2, $3, $4, $5)",
    )
    .bind(order.id.as_uuid())
    .bind(order.version)
    .bind(event.as_str())
    .bind(from.map(Status::as_str))
    .bind(order.status.as_str())
    .execute(&mut *connection)
    .await?;
    fondaco_messaging::outbox::append(connection, published).await
}
