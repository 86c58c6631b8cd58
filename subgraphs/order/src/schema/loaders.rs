//! Data loaders: orders by id, lines by order, one statement per tick of a request.

use std::collections::HashMap;

use dataloader::{BatchFn, cached::Loader};
use fondaco_chassis::{ApiError, data_loader::YIELDS};
use fondaco_contracts::OrderId;

use crate::store::{Line, Order, Store};

/// An order, or none with this id.
pub type LoadedOrder = Result<Option<Order>, ApiError>;
/// An order's lines.
pub type LoadedLines = Result<Vec<Line>, ApiError>;
/// Orders by id.
pub type OrderLoader = Loader<OrderId, LoadedOrder, OrdersById>;
/// Lines by order.
pub type LineLoader = Loader<OrderId, LoadedLines, LinesByOrder>;

/// Reads a batch of orders.
pub struct OrdersById(Store);

/// Reads the lines of a batch of orders.
pub struct LinesByOrder(Store);

/// A loader for one request.
pub fn order_loader(store: Store) -> OrderLoader {
    Loader::new(OrdersById(store)).with_yield_count(YIELDS)
}

/// A loader for one request.
pub fn line_loader(store: Store) -> LineLoader {
    Loader::new(LinesByOrder(store)).with_yield_count(YIELDS)
}

impl BatchFn<OrderId, LoadedOrder> for OrdersById {
    async fn load(&mut self, ids: &[OrderId]) -> HashMap<OrderId, LoadedOrder> {
        let orders = match self.0.orders(ids).await {
            Ok(orders) => orders,
            Err(error) => return failed(ids, error),
        };
        let mut found: HashMap<_, _> = orders.into_iter().map(|order| (order.id, order)).collect();
        ids.iter().map(|id| (*id, Ok(found.remove(id)))).collect()
    }
}

impl BatchFn<OrderId, LoadedLines> for LinesByOrder {
    async fn load(&mut self, ids: &[OrderId]) -> HashMap<OrderId, LoadedLines> {
        let lines = match self.0.lines_of(ids).await {
            Ok(lines) => lines,
            Err(error) => return failed(ids, error),
        };
        let mut of_order: HashMap<OrderId, Vec<Line>> = HashMap::new();
        for line in lines {
            of_order.entry(line.order).or_default().push(line);
        }
        ids.iter()
            .map(|id| (*id, Ok(of_order.remove(id).unwrap_or_default())))
            .collect()
    }
}

fn failed<T>(ids: &[OrderId], error: impl Into<ApiError>) -> HashMap<OrderId, Result<T, ApiError>> {
    let error = error.into();
    ids.iter().map(|id| (*id, Err(error.clone()))).collect()
}
