//! Drafts: orders whose lines can be changed, until they are bought.

use std::time::Duration;

use chrono::{DateTime, Utc};
use fondaco_chassis::batch::column;
use fondaco_contracts::{Money, OrderFact, OrderId, ReservationId};
use sqlx::PgConnection;

use super::{Key, NewLine, Order, Store, StoreError, idempotency::record_done, transitions::record};
use crate::order::{Event, Status};

/// The lines a draft is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// What all lines cost now.
    pub total: Money,
    /// Its lines.
    pub lines: Vec<NewLine>,
}

/// A draft that is bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedDraft<'a> {
    /// As it was read.
    pub order: &'a Order,
    /// The name of its hold at inventory.
    pub reservation: ReservationId,
    /// When that lapses.
    pub held_until: DateTime<Utc>,
    /// Its lines at today's prices.
    pub priced: Draft,
}

impl Store {
    /// Stores a new draft as the completion of `key`. None when the key was used before.
    pub async fn create_draft(
        &self,
        key: &Key,
        id: OrderId,
        draft: &Draft,
    ) -> Result<Option<Order>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        if !record_done(&mut transaction, key, id).await? {
            return Ok(None);
        }
        let order: Order = sqlx::query_as(
            "insert into orders (id, customer_id, reservation_id, status, amount, currency)
             values ($1, $2, $1, 'DRAFT', $3, $4) returning *",
        )
        .bind(id.as_uuid())
        .bind(key.customer.as_uuid())
        .bind(draft.total.minor_units())
        .bind(draft.total.currency.as_str())
        .fetch_one(&mut *transaction)
        .await?;
        insert_lines(&mut transaction, id, &draft.lines).await?;
        let event = OrderFact::new(Event::Drafted.published(), id, order.reservation).event();
        record(&mut transaction, &order, Event::Drafted, None, &event).await?;
        transaction.commit().await?;
        Ok(Some(order))
    }

    /// Gives a draft other lines, as the completion of `key` where there is one. None when the key was used before, or the draft is no
    /// longer as it was read.
    pub async fn edit_draft(
        &self,
        key: Option<&Key>,
        order: &Order,
        draft: &Draft,
    ) -> Result<Option<Order>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        if let Some(key) = key
            && !record_done(&mut transaction, key, order.id).await?
        {
            return Ok(None);
        }
        let edited: Option<Order> = sqlx::query_as(
            "update orders set amount = $3, currency = $4, version = version + 1, updated_at = now()
             where id = $1 and version = $2 and status = 'DRAFT' returning *",
        )
        .bind(order.id.as_uuid())
        .bind(order.version)
        .bind(draft.total.minor_units())
        .bind(draft.total.currency.as_str())
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(edited) = edited else {
            return Ok(None);
        };
        sqlx::query("delete from order_line where order_id = $1")
            .bind(order.id.as_uuid())
            .execute(&mut *transaction)
            .await?;
        insert_lines(&mut transaction, order.id, &draft.lines).await?;
        transaction.commit().await?;
        Ok(Some(edited))
    }

    /// Makes a draft a PENDING order at today's prices, and completes the key: all or nothing. None when the draft is no longer as it
    /// was read, or the key has an outcome, or another reservation.
    pub async fn place_draft(
        &self,
        key: &Key,
        placed: &PlacedDraft<'_>,
        settle_after: Duration,
    ) -> Result<Option<Order>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        if !complete(&mut transaction, key, placed).await? {
            return Ok(None);
        }
        let order: Option<Order> = sqlx::query_as(
            "update orders set status = 'PENDING', version = version + 1, reservation_id = $3, held_until = $4,
                settle_at = now() + make_interval(secs => $5), amount = $6, currency = $7, updated_at = now()
             where id = $1 and version = $2 and status = 'DRAFT' returning *",
        )
        .bind(placed.order.id.as_uuid())
        .bind(placed.order.version)
        .bind(placed.reservation.as_uuid())
        .bind(placed.held_until)
        .bind(settle_after.as_secs_f64())
        .bind(placed.priced.total.minor_units())
        .bind(placed.priced.total.currency.as_str())
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(order) = order else {
            return Ok(None);
        };
        reprice_lines(&mut transaction, order.id, &placed.priced.lines).await?;
        let event = OrderFact::new(Event::Placed.published(), order.id, order.reservation).event();
        record(
            &mut transaction,
            &order,
            Event::Placed,
            Some(Status::Draft),
            &event,
        )
        .await?;
        transaction.commit().await?;
        Ok(Some(order))
    }
}

async fn complete(
    connection: &mut PgConnection,
    key: &Key,
    placed: &PlacedDraft<'_>,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "update idempotency_record set outcome = 'ORDERED'
         where customer_id = $1 and idempotency_key = $2 and order_id = $3 and reservation_id = $4 and outcome is null",
    )
    .bind(key.customer.as_uuid())
    .bind(&key.text)
    .bind(placed.order.id.as_uuid())
    .bind(placed.reservation.as_uuid())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

async fn insert_lines(
    connection: &mut PgConnection,
    order: OrderId,
    lines: &[NewLine],
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into order_line (order_id, position, sku, name, quantity, unit_amount)
         select $1, line.position, line.sku, line.name, line.quantity, line.unit_amount
         from unnest($2::text[], $3::text[], $4::int[], $5::bigint[])
             with ordinality as line (sku, name, quantity, unit_amount, position)",
    )
    .bind(order.as_uuid())
    .bind(column(lines, |line| line.sku.as_str()))
    .bind(column(lines, |line| line.name.as_str()))
    .bind(column(lines, |line| line.quantity))
    .bind(column(lines, |line| line.unit_price.minor_units()))
    .execute(connection)
    .await
    .map(drop)
}

async fn reprice_lines(
    connection: &mut PgConnection,
    order: OrderId,
    lines: &[NewLine],
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update order_line set name = line.name, unit_amount = line.unit_amount
         from unnest($2::text[], $3::text[], $4::bigint[]) as line (sku, name, unit_amount)
         where order_line.order_id = $1 and order_line.sku = line.sku",
    )
    .bind(order.as_uuid())
    .bind(column(lines, |line| line.sku.as_str()))
    .bind(column(lines, |line| line.name.as_str()))
    .bind(column(lines, |line| line.unit_price.minor_units()))
    .execute(connection)
    .await
    .map(drop)
}
