//! Reading orders, their lines and their history.

use chrono::{DateTime, Utc};
use fondaco_contracts::{Money, OrderId, ReservationId, Sku, UserId};
use sqlx::{
    FromRow, PgConnection, Postgres, Row,
    postgres::{PgArguments, PgRow},
    query::Query,
};
use uuid::Uuid;

use super::{Store, StoreError, undecodable};
use crate::order::{Event, Status};

/// A stored order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// Who bought.
    pub customer: UserId,
    /// The name of its hold at inventory.
    pub reservation: ReservationId,
    /// Where it stands.
    pub status: Status,
    /// Counts transitions.
    pub version: i32,
    /// What all lines cost.
    pub total: Money,
    /// What was granted back so far.
    pub refunded: Money,
    /// Why it failed.
    pub failure: Option<String>,
    /// When the hold on its stock lapses; drafts hold nothing.
    pub held_until: Option<DateTime<Utc>>,
    /// Money may be held although it is cancelled.
    pub refund_due: bool,
    /// By which it can be followed on its way.
    pub tracking_code: Option<String>,
    /// When it was placed, or begun as a draft.
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
    /// How many of them were refunded.
    pub refunded: i32,
    /// The price of one, in minor units of the order's currency.
    pub unit_amount: i64,
}

/// A transition an order has made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryEntry {
    /// Which order.
    pub order: OrderId,
    /// What happened.
    pub event: Event,
    /// Where it stood before; none at first.
    pub from: Option<Status>,
    /// Where it stood then.
    pub to: Status,
    /// Why, where there is more to say.
    pub reason: Option<String>,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// Which of a customer's orders: the newest `limit` of those older than `after`; of these statuses where there are any.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// Whose.
    pub customer: UserId,
    /// Of these alone, unless empty.
    pub statuses: &'a [Status],
    /// The last of the page before.
    pub after: Option<OrderId>,
    /// At most so many.
    pub limit: i64,
}

macro_rules! page {
    () => {
        "select * from orders
         where customer_id = $1 and id < $2 and (cardinality($4::text[]) = 0 or status = any($4))
         order by id desc limit $3"
    };
}

impl Page<'_> {
    /// The statement with this page's parameters, `$1` to `$4` of `page!`.
    fn bind(&self, statement: &'static str) -> Query<'static, Postgres, PgArguments> {
        let statuses: Vec<&str> = self.statuses.iter().map(|status| status.as_str()).collect();
        sqlx::query(statement)
            .bind(self.customer.as_uuid())
            .bind(self.after.map_or(Uuid::max(), |id| id.as_uuid()))
            .bind(self.limit)
            .bind(statuses)
    }
}

impl Store {
    /// One order.
    pub async fn order(&self, id: OrderId) -> Result<Option<Order>, StoreError> {
        Ok(self.orders(&[id]).await?.pop())
    }

    /// Many orders, in one statement; unknown ids are left out.
    pub async fn orders(&self, ids: &[OrderId]) -> Result<Vec<Order>, StoreError> {
        Ok(sqlx::query_as("select * from orders where id = any($1)")
            .bind(uuids(ids))
            .fetch_all(&self.pool)
            .await?)
    }

    /// A page of a customer's orders, newest first.
    pub async fn orders_of(&self, page: &Page<'_>) -> Result<Vec<Order>, StoreError> {
        let rows = page.bind(page!()).fetch_all(&self.pool).await?;
        Ok(rows.iter().map(Order::from_row).collect::<sqlx::Result<_>>()?)
    }

    /// The same with the lines of each, in one statement.
    pub async fn orders_with_lines_of(&self, page: &Page<'_>) -> Result<Vec<(Order, Vec<Line>)>, StoreError> {
        let statement = concat!(
            "select o.*, l.order_id, l.sku, l.quantity, l.refunded_quantity, l.unit_amount from (",
            page!(),
            ") o left join order_line l on l.order_id = o.id order by o.id desc, l.position"
        );
        let mut orders: Vec<(Order, Vec<Line>)> = Vec::new();
        for row in page.bind(statement).fetch_all(&self.pool).await? {
            let id = row.try_get::<Uuid, _>("id")?.into();
            if orders.last().is_none_or(|(order, _)| order.id != id) {
                orders.push((Order::from_row(&row)?, Vec::new()));
            }
            if let (Some((_, lines)), Some(_)) =
                (orders.last_mut(), row.try_get::<Option<Uuid>, _>("order_id")?)
            {
                lines.push(Line::from_row(&row)?);
            }
        }
        Ok(orders)
    }

    /// The lines of many orders, in one statement, each order's in their order.
    pub async fn lines_of(&self, orders: &[OrderId]) -> Result<Vec<Line>, StoreError> {
        let lines = sqlx::query_as(
            "select order_id, sku, quantity, refunded_quantity, unit_amount from order_line
             where order_id = any($1) order by order_id, position",
        )
        .bind(uuids(orders))
        .fetch_all(&self.pool)
        .await?;
        Ok(lines)
    }

    /// The transitions of many orders, in one statement, each order's in their order.
    pub async fn history_of(&self, orders: &[OrderId]) -> Result<Vec<HistoryEntry>, StoreError> {
        let history = sqlx::query_as(
            "select order_id, event, from_status, to_status, reason, occurred_at from order_transition
             where order_id = any($1) order by order_id, version",
        )
        .bind(uuids(orders))
        .fetch_all(&self.pool)
        .await?;
        Ok(history)
    }
}

/// One order, locked until the transaction ends.
pub async fn lock(connection: &mut PgConnection, id: OrderId) -> Result<Option<Order>, StoreError> {
    let order = sqlx::query_as("select * from orders where id = $1 for update")
        .bind(id.as_uuid())
        .fetch_optional(connection)
        .await?;
    Ok(order)
}

pub(super) fn uuids(ids: &[OrderId]) -> Vec<Uuid> {
    ids.iter().map(OrderId::as_uuid).collect()
}

impl FromRow<'_, PgRow> for Order {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let status: &str = row.try_get("status")?;
        let currency: &str = row.try_get("currency")?;
        let currency = currency.parse().map_err(undecodable)?;
        let money = |minor_units| Money::new(minor_units, currency).map_err(undecodable);
        Ok(Self {
            id: row.try_get::<Uuid, _>("id")?.into(),
            customer: row.try_get::<Uuid, _>("customer_id")?.into(),
            reservation: row.try_get::<Uuid, _>("reservation_id")?.into(),
            status: status.parse().map_err(undecodable)?,
            version: row.try_get("version")?,
            total: money(row.try_get("amount")?)?,
            refunded: money(row.try_get("refunded_amount")?)?,
            failure: row.try_get("failure")?,
            held_until: row.try_get("held_until")?,
            refund_due: row.try_get("refund_due")?,
            tracking_code: row.try_get("tracking_code")?,
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
            refunded: row.try_get("refunded_quantity")?,
            unit_amount: row.try_get("unit_amount")?,
        })
    }
}

impl FromRow<'_, PgRow> for HistoryEntry {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let from: Option<&str> = row.try_get("from_status")?;
        let (event, to): (&str, &str) = (row.try_get("event")?, row.try_get("to_status")?);
        Ok(Self {
            order: row.try_get::<Uuid, _>("order_id")?.into(),
            event: event.parse().map_err(undecodable)?,
            from: from.map(str::parse).transpose().map_err(undecodable)?,
            to: to.parse().map_err(undecodable)?,
            reason: row.try_get("reason")?,
            occurred_at: row.try_get("occurred_at")?,
        })
    }
}
