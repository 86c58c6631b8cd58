//! Reading orders, their lines and their history.

use chrono::{DateTime, Utc};
use fondaco_contracts::{Money, OrderId, ReservationId, Sku, UserId};
use serde::{Deserialize, Serialize};
use sqlx::{
    FromRow, PgConnection, Postgres, Row,
    postgres::{PgArguments, PgRow},
    query::Query,
};
use uuid::Uuid;

use super::{Store, StoreError, undecodable};
use crate::order::{Event, Status};

/// A stored order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// A stored order as a whole, read at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderWithLines {
    /// The order.
    pub order: Order,
    /// Its lines, in their order.
    pub lines: Vec<Line>,
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

/// Which of a customer's orders, newest first: `limit` of those between `after` and `before`, of these statuses where there are any.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// Whose.
    pub customer: UserId,
    /// Of these alone, unless empty.
    pub statuses: &'a [Status],
    /// The last one before the page: those of the page are older.
    pub after: Option<OrderId>,
    /// The first one behind the page: those of the page are newer.
    pub before: Option<OrderId>,
    /// At most so many.
    pub limit: i64,
    /// The oldest of them instead of the newest.
    pub from_end: bool,
}

macro_rules! page {
    ($direction:literal) => {
        concat!(
            "select * from orders
             where customer_id = $1 and id < $2 and id > $5 and (cardinality($4::text[]) = 0 or status = any($4))
             order by id ",
            $direction,
            " limit $3"
        )
    };
}

/// The orders that a statement selects, each with its lines, newest first.
macro_rules! with_lines {
    ($orders:expr) => {
        concat!(
            "select o.*, l.order_id, l.sku, l.quantity, l.refunded_quantity, l.unit_amount from (",
            $orders,
            ") o left join order_line l on l.order_id = o.id order by o.id desc, l.position"
        )
    };
}

impl Page<'_> {
    /// The statement with this page's parameters, `$1` to `$5` of `page!`.
    fn bind(&self, statement: &'static str) -> Query<'static, Postgres, PgArguments> {
        let statuses: Vec<&str> = self.statuses.iter().map(|status| status.as_str()).collect();
        sqlx::query(statement)
            .bind(self.customer.as_uuid())
            .bind(self.after.map_or(Uuid::max(), |id| id.as_uuid()))
            .bind(self.limit)
            .bind(statuses)
            .bind(self.before.map_or(Uuid::nil(), |id| id.as_uuid()))
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
        let statement = if page.from_end {
            page!("asc")
        } else {
            page!("desc")
        };
        let rows = page.bind(statement).fetch_all(&self.pool).await?;
        let mut orders = rows
            .iter()
            .map(Order::from_row)
            .collect::<sqlx::Result<Vec<_>>>()?;
        if page.from_end {
            orders.reverse();
        }
        Ok(orders)
    }

    /// The same with the lines of each, in one statement.
    pub async fn orders_with_lines_of(&self, page: &Page<'_>) -> Result<Vec<OrderWithLines>, StoreError> {
        let statement = if page.from_end {
            with_lines!(page!("asc"))
        } else {
            with_lines!(page!("desc"))
        };
        let rows = page.bind(statement).fetch_all(&self.pool).await?;
        Ok(grouped(&rows)?)
    }

    /// Many orders with the lines of each, in one statement; unknown ids are left out.
    pub async fn orders_with_lines(&self, ids: &[OrderId]) -> Result<Vec<OrderWithLines>, StoreError> {
        let rows = sqlx::query(with_lines!("select * from orders where id = any($1)"))
            .bind(uuids(ids))
            .fetch_all(&self.pool)
            .await?;
        Ok(grouped(&rows)?)
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

/// Rows of `with_lines!`, those of an order one after another.
fn grouped(rows: &[PgRow]) -> sqlx::Result<Vec<OrderWithLines>> {
    let mut orders: Vec<OrderWithLines> = Vec::new();
    for row in rows {
        let id = row.try_get::<Uuid, _>("id")?.into();
        if orders.last().is_none_or(|whole| whole.order.id != id) {
            orders.push(OrderWithLines {
                order: Order::from_row(row)?,
                lines: Vec::new(),
            });
        }
        if let (Some(whole), Some(_)) = (orders.last_mut(), row.try_get::<Option<Uuid>, _>("order_id")?) {
            whole.lines.push(Line::from_row(row)?);
        }
    }
    Ok(orders)
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
