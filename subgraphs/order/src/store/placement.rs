//! Placing orders: many at a time, each with its lines, its history, its outbox row and the outcome of its key, or not at all.

use std::{collections::HashMap, time::Duration};

use chrono::{DateTime, Utc};
use fondaco_chassis::{ApiError, batch::column};
use fondaco_contracts::{Event as Fact, Money, OrderFact, OrderId, ReservationId, Sku};
use sqlx::PgPool;

use super::{Key, Order, Store};
use crate::order::Event;

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

impl Store {
    /// Stores a PENDING order with its lines, and completes the key: all or nothing. None when the key has an outcome, or another
    /// reservation.
    pub async fn place(
        &self,
        key: &Key,
        order: NewOrder,
        settle_after: Duration,
    ) -> Result<Option<Order>, ApiError> {
        let placement = Placement {
            key: key.clone(),
            event: OrderFact::new(Event::Placed.published(), order.id, order.reservation).event(),
            order,
            settle_after,
        };
        self.placements.submit(placement).await
    }
}

/// An order to be placed, and the key that is completed by it.
#[derive(Clone, Debug)]
pub(super) struct Placement {
    key: Key,
    order: NewOrder,
    settle_after: Duration,
    event: Fact,
}

const PLACE: &str = "\
    with wanted as (
        select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::bigint[], $6::text[], $7::timestamptz[],
                $8::float8[], $9::boolean[], $10::uuid[], $11::text[], $12::text[], $13::jsonb[], $14::timestamptz[])
            as wanted (customer_id, idempotency_key, order_id, reservation_id, amount, currency, held_until,
                settle_after, from_wishlist, event_id, aggregate_id, name, payload, occurred_at)
    ), claimed as (
        update idempotency_record record set outcome = 'ORDERED' from wanted
        where record.customer_id = wanted.customer_id and record.idempotency_key = wanted.idempotency_key
            and record.order_id = wanted.order_id
            and coalesce(record.reservation_id, record.order_id) = wanted.reservation_id and record.outcome is null
        returning wanted.*
    ), placed as (
        insert into orders (id, customer_id, reservation_id, status, amount, currency, held_until, settle_at, from_wishlist)
        select order_id, customer_id, reservation_id, 'PENDING', amount, currency, held_until,
            now() + make_interval(secs => settle_after), from_wishlist
        from claimed
        returning *
    ), lines as (
        insert into order_line (order_id, position, sku, name, quantity, unit_amount)
        select line.* from claimed
            join unnest($15::uuid[], $16::smallint[], $17::text[], $18::text[], $19::int[], $20::bigint[])
                as line (order_id, position, sku, name, quantity, unit_amount) using (order_id)
    ), recorded as (
        insert into order_transition (order_id, version, event, to_status)
        select id, version, $21, status from placed
    ), published as (
        insert into outbox (id, aggregate_id, name, payload, occurred_at)
        select event_id, aggregate_id, name, payload, occurred_at from claimed
    )
    select * from placed";

/// The orders as they are stored, in the order of `wanted`; those that cannot be placed are none.
pub(super) async fn place_all(pool: PgPool, wanted: Vec<Placement>) -> Result<Vec<Option<Order>>, ApiError> {
    let lines: Vec<(OrderId, usize, &NewLine)> = wanted.iter().flat_map(Placement::lines).collect();
    let placed: Vec<Order> = sqlx::query_as(PLACE)
        .bind(column(&wanted, |one| one.key.customer.as_uuid()))
        .bind(column(&wanted, |one| one.key.text.as_str()))
        .bind(column(&wanted, |one| one.order.id.as_uuid()))
        .bind(column(&wanted, |one| one.order.reservation.as_uuid()))
        .bind(column(&wanted, |one| one.order.total.minor_units()))
        .bind(column(&wanted, |one| one.order.total.currency.as_str()))
        .bind(column(&wanted, |one| one.order.held_until))
        .bind(column(&wanted, |one| one.settle_after.as_secs_f64()))
        .bind(column(&wanted, |one| one.order.from_wishlist))
        .bind(column(&wanted, |one| one.event.id.as_uuid()))
        .bind(column(&wanted, |one| one.event.aggregate_id.as_str()))
        .bind(column(&wanted, |one| one.event.name.as_str()))
        .bind(column(&wanted, |one| one.event.payload.clone()))
        .bind(column(&wanted, |one| one.event.occurred_at))
        .bind(column(&lines, |(order, ..)| order.as_uuid()))
        .bind(column(&lines, |(_, position, _)| *position as i16))
        .bind(column(&lines, |(.., line)| line.sku.as_str()))
        .bind(column(&lines, |(.., line)| line.name.as_str()))
        .bind(column(&lines, |(.., line)| line.quantity))
        .bind(column(&lines, |(.., line)| line.unit_price.minor_units()))
        .bind(Event::Placed.as_str())
        .fetch_all(&pool)
        .await?;
    let mut placed: HashMap<OrderId, Order> = placed.into_iter().map(|order| (order.id, order)).collect();
    Ok(wanted.iter().map(|one| placed.remove(&one.order.id)).collect())
}

impl Placement {
    /// Each line with its place, from 1.
    fn lines(&self) -> impl Iterator<Item = (OrderId, usize, &NewLine)> {
        let numbered = self.order.lines.iter().enumerate();
        numbered.map(|(index, line)| (self.order.id, index + 1, line))
    }
}
