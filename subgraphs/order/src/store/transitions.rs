//! Changing the status of orders, many at a time. Every change is conditional on the status and version read, and commits with its history
//! and its outbox row.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use fondaco_chassis::{ApiError, batch::column};
use fondaco_contracts::{Event as Fact, OrderFact, OrderId, ReservationId};
use sqlx::{PgConnection, PgExecutor, PgPool};

use super::{Key, Order, Store, StoreError};
use crate::order::{Event, Status};

/// A status change to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// Of which order.
    pub order: OrderId,
    /// The name of its hold at inventory.
    pub reservation: ReservationId,
    /// Where it stands, as it was read.
    pub from: Status,
    /// Its version, as it was read.
    pub version: i32,
    /// What happened.
    pub event: Event,
    /// Where it goes.
    pub to: Status,
    /// Why, when it fails.
    pub failure: Option<String>,
    /// By which it can be followed, when it is sent.
    pub tracking_code: Option<String>,
    /// Money must be given back afterwards.
    pub refund_due: bool,
    /// The key of the operation that this completes.
    pub key: Option<Key>,
}

impl Transition {
    /// A change of an order as it was read, with nothing more to say.
    pub fn new(order: &Order, event: Event, to: Status) -> Self {
        Self {
            order: order.id,
            reservation: order.reservation,
            from: order.status,
            version: order.version,
            event,
            to,
            failure: None,
            tracking_code: None,
            refund_due: false,
            key: None,
        }
    }

    fn published(&self) -> Fact {
        OrderFact::new(self.event.published(), self.order, self.reservation).event()
    }
}

impl Store {
    /// Stores a status change. None when the order is no longer as it was read.
    pub async fn transition(&self, change: Transition) -> Result<Option<Order>, ApiError> {
        self.transitions.submit(change).await
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

const MOVE: &str = "\
    with wanted as (
        select * from unnest($1::uuid[], $2::text[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::boolean[],
                $9::uuid[], $10::text[], $11::uuid[], $12::text[], $13::text[], $14::jsonb[], $15::timestamptz[])
            as wanted (order_id, from_status, version, event, to_status, failure, tracking_code, refund_due,
                customer_id, idempotency_key, event_id, aggregate_id, name, payload, occurred_at)
    ), moved as (
        update orders set status = wanted.to_status, version = orders.version + 1, failure = wanted.failure,
            refund_due = wanted.refund_due, tracking_code = coalesce(wanted.tracking_code, orders.tracking_code), updated_at = now(),
            settle_at = case when wanted.refund_due
                or exists (select from refund where refund.order_id = orders.id and refund.status = 'PENDING') then now() end
        from wanted
        where orders.id = wanted.order_id and orders.status = wanted.from_status and orders.version = wanted.version
        returning orders.*
    ), completed as (
        update idempotency_record record set outcome = 'DONE' from wanted join moved on moved.id = wanted.order_id
        where record.customer_id = wanted.customer_id and record.idempotency_key = wanted.idempotency_key
    ), recorded as (
        insert into order_transition (order_id, version, event, from_status, to_status, reason)
        select moved.id, moved.version, wanted.event, wanted.from_status, moved.status, moved.failure
        from moved join wanted on wanted.order_id = moved.id
    ), emptied as (
        delete from wishlist_item item using moved, order_line line
        where moved.from_wishlist and moved.status = 'CONFIRMED' and line.order_id = moved.id
            and item.customer_id = moved.customer_id and item.sku = line.sku
    ), published as (
        insert into outbox (id, aggregate_id, name, payload, occurred_at)
        select wanted.event_id, wanted.aggregate_id, wanted.name, wanted.payload, wanted.occurred_at
        from moved join wanted on wanted.order_id = moved.id
    )
    select * from moved";

/// As [`Store::transition`], in the caller's transaction.
pub async fn make(connection: &mut PgConnection, change: &Transition) -> Result<Option<Order>, StoreError> {
    Ok(make_all(connection, &[change]).await?.pop())
}

/// The orders as they are stored, in the order of `wanted`; those that are no longer as they were read are none.
pub(super) async fn make_many(pool: PgPool, wanted: Vec<Transition>) -> Result<Vec<Option<Order>>, ApiError> {
    // Of several changes of one order as it was read, the first is made.
    let mut seen = HashSet::new();
    let firsts: Vec<&Transition> = wanted.iter().filter(|one| seen.insert(one.order)).collect();
    let moved = make_all(&pool, &firsts).await?;
    let mut moved: HashMap<OrderId, Order> = moved.into_iter().map(|order| (order.id, order)).collect();
    Ok(wanted.iter().map(|one| moved.remove(&one.order)).collect())
}

async fn make_all(executor: impl PgExecutor<'_>, wanted: &[&Transition]) -> Result<Vec<Order>, sqlx::Error> {
    let facts: Vec<Fact> = wanted.iter().map(|one| one.published()).collect();
    let key = |one: &Transition| one.key.as_ref().map(|key| key.customer.as_uuid());
    sqlx::query_as(MOVE)
        .bind(column(wanted, |one| one.order.as_uuid()))
        .bind(column(wanted, |one| one.from.as_str()))
        .bind(column(wanted, |one| one.version))
        .bind(column(wanted, |one| one.event.as_str()))
        .bind(column(wanted, |one| one.to.as_str()))
        .bind(column(wanted, |one| one.failure.as_deref()))
        .bind(column(wanted, |one| one.tracking_code.as_deref()))
        .bind(column(wanted, |one| one.refund_due))
        .bind(column(wanted, |one| key(one)))
        .bind(column(wanted, |one| {
            one.key.as_ref().map(|key| key.text.as_str())
        }))
        .bind(column(&facts, |fact| fact.id.as_uuid()))
        .bind(column(&facts, |fact| fact.aggregate_id.as_str()))
        .bind(column(&facts, |fact| fact.name.as_str()))
        .bind(column(&facts, |fact| fact.payload.clone()))
        .bind(column(&facts, |fact| fact.occurred_at))
        .fetch_all(executor)
        .await
}

/// The history and the outbox row of a change made in a transaction.
pub(super) async fn record(
    connection: &mut PgConnection,
    order: &Order,
    event: Event,
    from: Option<Status>,
    published: &Fact,
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
