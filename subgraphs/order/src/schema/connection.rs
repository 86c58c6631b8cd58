//! Orders as a Relay connection: newest first, forward only.

use async_graphql::{
    Context,
    connection::{
        Connection, CursorType, DefaultConnectionName, DefaultEdgeName, DisableNodesField, Edge, EmptyFields,
    },
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use fondaco_chassis::ApiError;
use fondaco_contracts::{OrderId, UserId};
use thiserror::Error;

use super::{loaders::LineLoader, types::Order};
use crate::{
    order::Status,
    store::{self, Page, Store},
};

const DEFAULT_FIRST: i32 = 20;
const MAX_FIRST: i32 = 100;

/// `OrderConnection` of the schema.
pub type OrderConnection = Connection<
    Cursor,
    Order,
    EmptyFields,
    EmptyFields,
    DefaultConnectionName,
    DefaultEdgeName,
    DisableNodesField,
>;

/// The place of an order in the list: its id, which sorts by time. Opaque to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor(OrderId);

/// Not a cursor of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the cursor is not one of this list")]
pub struct InvalidCursor;

impl CursorType for Cursor {
    type Error = InvalidCursor;

    fn decode_cursor(text: &str) -> Result<Self, InvalidCursor> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidCursor)?;
        uuid::Uuid::from_slice(&bytes)
            .map(|id| Self(id.into()))
            .map_err(|_| InvalidCursor)
    }

    fn encode_cursor(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.0.as_uuid())
    }
}

/// A page of a customer's orders. `ctx` is that of the field that shows them: where it selects their lines, these come with them.
pub async fn orders(
    ctx: &Context<'_>,
    customer: UserId,
    statuses: &[Status],
    first: Option<i32>,
    after: Option<String>,
) -> Result<OrderConnection, ApiError> {
    let first = page_size(first)?;
    let cursor = after.as_deref().map(Cursor::decode_cursor).transpose();
    let cursor = cursor.map_err(|error| ApiError::BadUserInput(error.to_string()))?;
    let page = Page {
        customer,
        statuses,
        after: cursor.map(|Cursor(id)| id),
        limit: i64::from(first) + 1,
    };
    let mut orders = read(ctx, &page).await?;
    let has_next = orders.len() > first as usize;
    orders.truncate(first as usize);
    let mut connection = Connection::new(cursor.is_some(), has_next);
    connection.edges.extend(
        orders
            .into_iter()
            .map(|order| Edge::new(Cursor(order.id), Order(order))),
    );
    Ok(connection)
}

async fn read(ctx: &Context<'_>, page: &Page<'_>) -> Result<Vec<store::Order>, ApiError> {
    let store = ctx.data_unchecked::<Store>();
    if !shows_lines(ctx) {
        return Ok(store.orders_of(page).await?);
    }
    let (orders, lines): (Vec<_>, Vec<_>) = store
        .orders_with_lines_of(page)
        .await?
        .into_iter()
        .map(|(order, lines)| {
            let id = order.id;
            (order, (id, Ok(lines)))
        })
        .unzip();
    ctx.data_unchecked::<LineLoader>().prime_many(lines).await;
    Ok(orders)
}

fn shows_lines(ctx: &Context<'_>) -> bool {
    let node = ctx.look_ahead().field("edges").field("node");
    node.field("lines").exists()
}

/// A page without orders.
pub fn empty() -> OrderConnection {
    Connection::new(false, false)
}

fn page_size(first: Option<i32>) -> Result<i32, ApiError> {
    let first = first.unwrap_or(DEFAULT_FIRST);
    if (0..=MAX_FIRST).contains(&first) {
        return Ok(first);
    }
    Err(ApiError::BadUserInput(format!("first is 0 to {MAX_FIRST}")))
}
