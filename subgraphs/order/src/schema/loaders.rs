//! Data loaders: orders by id; lines, refunds and history by order; one statement per tick of a request.

use std::{collections::HashMap, sync::Arc};

use dataloader::{BatchFn, cached::Loader};
use fondaco_chassis::ApiError;
use fondaco_contracts::OrderId;

use crate::{
    cache::OrderCache,
    store::{HistoryEntry, Line, OrderWithLines, Refund, Store, StoreError},
};

/// An order as one of a request's mutations left it: what was loaded for that does not answer for another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OrderVersion {
    /// Which.
    pub order: OrderId,
    /// Counts its changes.
    pub version: i32,
}

/// What belongs to an order.
pub type Loaded<T> = Result<T, ApiError>;
/// Orders by id.
pub type OrderLoader = Loader<OrderId, Loaded<Option<Arc<OrderWithLines>>>, OrdersById>;
/// Lines by order.
pub type LineLoader = Loader<OrderVersion, Loaded<Vec<Line>>, LinesByOrder>;
/// Refunds by order.
pub type RefundLoader = Loader<OrderVersion, Loaded<Vec<Refund>>, RefundsByOrder>;
/// Transitions by order.
pub type HistoryLoader = Loader<OrderVersion, Loaded<Vec<HistoryEntry>>, HistoryByOrder>;

/// Reads a batch of orders, with their lines.
pub struct OrdersById(pub OrderCache);

/// Reads the lines of a batch of orders.
pub struct LinesByOrder(pub Store);

/// Reads the refunds of a batch of orders.
pub struct RefundsByOrder(pub Store);

/// Reads the transitions of a batch of orders.
pub struct HistoryByOrder(pub Store);

impl BatchFn<OrderId, Loaded<Option<Arc<OrderWithLines>>>> for OrdersById {
    async fn load(&mut self, ids: &[OrderId]) -> HashMap<OrderId, Loaded<Option<Arc<OrderWithLines>>>> {
        self.0.orders(ids).await
    }
}

impl BatchFn<OrderVersion, Loaded<Vec<Line>>> for LinesByOrder {
    async fn load(&mut self, versions: &[OrderVersion]) -> HashMap<OrderVersion, Loaded<Vec<Line>>> {
        grouped(versions, self.0.lines_of(&orders(versions)).await, |line| {
            line.order
        })
    }
}

impl BatchFn<OrderVersion, Loaded<Vec<Refund>>> for RefundsByOrder {
    async fn load(&mut self, versions: &[OrderVersion]) -> HashMap<OrderVersion, Loaded<Vec<Refund>>> {
        grouped(versions, self.0.refunds_of(&orders(versions)).await, |refund| {
            refund.order
        })
    }
}

impl BatchFn<OrderVersion, Loaded<Vec<HistoryEntry>>> for HistoryByOrder {
    async fn load(&mut self, versions: &[OrderVersion]) -> HashMap<OrderVersion, Loaded<Vec<HistoryEntry>>> {
        grouped(versions, self.0.history_of(&orders(versions)).await, |entry| {
            entry.order
        })
    }
}

fn orders(versions: &[OrderVersion]) -> Vec<OrderId> {
    versions.iter().map(|version| version.order).collect()
}

/// Rows by the order they belong to, none for an order without any.
fn grouped<T: Clone>(
    versions: &[OrderVersion],
    rows: Result<Vec<T>, StoreError>,
    order: impl Fn(&T) -> OrderId,
) -> HashMap<OrderVersion, Loaded<Vec<T>>> {
    let rows = match rows {
        Ok(rows) => rows,
        Err(error) => {
            let error = ApiError::from(error);
            return versions
                .iter()
                .map(|version| (*version, Err(error.clone())))
                .collect();
        }
    };
    let mut of_order: HashMap<OrderId, Vec<T>> = HashMap::new();
    for row in rows {
        of_order.entry(order(&row)).or_default().push(row);
    }
    versions
        .iter()
        .map(|version| {
            (
                *version,
                Ok(of_order.get(&version.order).cloned().unwrap_or_default()),
            )
        })
        .collect()
}
