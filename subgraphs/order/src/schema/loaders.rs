//! Data loaders: orders by id; lines, refunds and history by order; one statement per tick of a request.

use std::collections::HashMap;

use dataloader::{BatchFn, cached::Loader};
use fondaco_chassis::ApiError;
use fondaco_contracts::OrderId;

use crate::store::{HistoryEntry, Line, Order, Refund, Store, StoreError};

/// What belongs to an order.
pub type Loaded<T> = Result<T, ApiError>;
/// Orders by id.
pub type OrderLoader = Loader<OrderId, Loaded<Option<Order>>, OrdersById>;
/// Lines by order.
pub type LineLoader = Loader<OrderId, Loaded<Vec<Line>>, LinesByOrder>;
/// Refunds by order.
pub type RefundLoader = Loader<OrderId, Loaded<Vec<Refund>>, RefundsByOrder>;
/// Transitions by order.
pub type HistoryLoader = Loader<OrderId, Loaded<Vec<HistoryEntry>>, HistoryByOrder>;

/// Reads a batch of orders.
pub struct OrdersById(pub Store);

/// Reads the lines of a batch of orders.
pub struct LinesByOrder(pub Store);

/// Reads the refunds of a batch of orders.
pub struct RefundsByOrder(pub Store);

/// Reads the transitions of a batch of orders.
pub struct HistoryByOrder(pub Store);

impl BatchFn<OrderId, Loaded<Option<Order>>> for OrdersById {
    async fn load(&mut self, ids: &[OrderId]) -> HashMap<OrderId, Loaded<Option<Order>>> {
        let orders = match self.0.orders(ids).await {
            Ok(orders) => orders,
            Err(error) => return failed(ids, error),
        };
        let mut found: HashMap<_, _> = orders.into_iter().map(|order| (order.id, order)).collect();
        ids.iter().map(|id| (*id, Ok(found.remove(id)))).collect()
    }
}

impl BatchFn<OrderId, Loaded<Vec<Line>>> for LinesByOrder {
    async fn load(&mut self, ids: &[OrderId]) -> HashMap<OrderId, Loaded<Vec<Line>>> {
        grouped(ids, self.0.lines_of(ids).await, |line| line.order)
    }
}

impl BatchFn<OrderId, Loaded<Vec<Refund>>> for RefundsByOrder {
    async fn load(&mut self, ids: &[OrderId]) -> HashMap<OrderId, Loaded<Vec<Refund>>> {
        grouped(ids, self.0.refunds_of(ids).await, |refund| refund.order)
    }
}

impl BatchFn<OrderId, Loaded<Vec<HistoryEntry>>> for HistoryByOrder {
    async fn load(&mut self, ids: &[OrderId]) -> HashMap<OrderId, Loaded<Vec<HistoryEntry>>> {
        grouped(ids, self.0.history_of(ids).await, |entry| entry.order)
    }
}

/// Rows by the order they belong to, none for an order without any.
fn grouped<T>(
    ids: &[OrderId],
    rows: Result<Vec<T>, StoreError>,
    order: impl Fn(&T) -> OrderId,
) -> HashMap<OrderId, Loaded<Vec<T>>> {
    let rows = match rows {
        Ok(rows) => rows,
        Err(error) => return failed(ids, error),
    };
    let mut of_order: HashMap<OrderId, Vec<T>> = HashMap::new();
    for row in rows {
        of_order.entry(order(&row)).or_default().push(row);
    }
    ids.iter()
        .map(|id| (*id, Ok(of_order.remove(id).unwrap_or_default())))
        .collect()
}

fn failed<T>(ids: &[OrderId], error: impl Into<ApiError>) -> HashMap<OrderId, Loaded<T>> {
    let error = error.into();
    ids.iter().map(|id| (*id, Err(error.clone()))).collect()
}
