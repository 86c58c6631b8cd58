//! Orders as a Relay connection: newest first, paged from either end.

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

use super::types::Order;
use crate::{
    order::Status,
    store::{Page, Store},
};

const DEFAULT_PAGE: i32 = 20;
const MAX_PAGE: i32 = 100;

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

/// Which part of a list is asked for, by the arguments of the connection specification.
pub struct Span {
    /// The newest so many.
    pub first: Option<i32>,
    /// Older than this one.
    pub after: Option<String>,
    /// The oldest so many.
    pub last: Option<i32>,
    /// Newer than this one.
    pub before: Option<String>,
}

/// A page of a customer's orders. `ctx` is that of the field that shows them: where it selects their lines, these come with them.
pub async fn orders(
    ctx: &Context<'_>,
    customer: UserId,
    statuses: &[Status],
    span: Span,
) -> Result<OrderConnection, ApiError> {
    let (size, from_end) = page_size(span.first, span.last)?;
    let (after, before) = (read_cursor(span.after)?, read_cursor(span.before)?);
    let page = Page {
        customer,
        statuses,
        after,
        before,
        limit: size as i64 + 1,
        from_end,
    };
    let mut orders = read(ctx, &page).await?;
    // The one that is too many shows that there are more.
    let has_more = orders.len() > size;
    if has_more && from_end {
        orders.remove(0);
    }
    orders.truncate(size);
    // What lies behind a cursor that was passed in is not empty: the cursor's own order is there.
    let (has_previous, has_next) = if from_end {
        (has_more, before.is_some())
    } else {
        (after.is_some(), has_more)
    };
    let mut connection = Connection::new(has_previous, has_next);
    let edges = orders.into_iter().map(|(id, order)| Edge::new(Cursor(id), order));
    connection.edges.extend(edges);
    Ok(connection)
}

async fn read(ctx: &Context<'_>, page: &Page<'_>) -> Result<Vec<(OrderId, Order)>, ApiError> {
    let store = ctx.data_unchecked::<Store>();
    if shows_lines(ctx) {
        let orders = store.orders_with_lines_of(page).await?.into_iter();
        return Ok(orders.map(|whole| (whole.order.id, whole.into())).collect());
    }
    let orders = store.orders_of(page).await?.into_iter();
    Ok(orders.map(|order| (order.id, order.into())).collect())
}

fn shows_lines(ctx: &Context<'_>) -> bool {
    let node = ctx.look_ahead().field("edges").field("node");
    node.field("lines").exists()
}

/// A page without orders.
pub fn empty() -> OrderConnection {
    Connection::new(false, false)
}

/// The size of the page, and whether it is counted from the end.
fn page_size(first: Option<i32>, last: Option<i32>) -> Result<(usize, bool), ApiError> {
    let (size, name) = match (first, last) {
        (Some(_), Some(_)) => {
            return Err(ApiError::BadUserInput("give first or last, not both".to_owned()));
        }
        (None, Some(last)) => (last, "last"),
        (first, None) => (first.unwrap_or(DEFAULT_PAGE), "first"),
    };
    let valid = usize::try_from(size).ok().filter(|_| size <= MAX_PAGE);
    let size = valid.ok_or_else(|| ApiError::BadUserInput(format!("{name} is 0 to {MAX_PAGE}")))?;
    Ok((size, name == "last"))
}

fn read_cursor(text: Option<String>) -> Result<Option<OrderId>, ApiError> {
    let cursor = text.as_deref().map(Cursor::decode_cursor).transpose();
    let cursor = cursor.map_err(|error| ApiError::BadUserInput(error.to_string()))?;
    Ok(cursor.map(|Cursor(id)| id))
}
