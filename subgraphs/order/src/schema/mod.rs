//! The order subgraph's schema.

mod connection;
mod entity;
mod loaders;
mod mutation;
mod query;
mod types;

use async_graphql::{EmptySubscription, Request, SchemaBuilder};
use fondaco_chassis::{data_loader::YIELDS, federation};

use loaders::{
    HistoryByOrder, HistoryLoader, LineLoader, LinesByOrder, OrderLoader, OrdersById, RefundLoader,
    RefundsByOrder,
};
pub use mutation::Mutation;
pub use query::Query;

use crate::{cache::OrderCache, store::Store};

/// The schema without its data.
pub fn builder() -> SchemaBuilder<Query, Mutation, EmptySubscription> {
    federation::schema(Query, Mutation::default())
}

/// Adds the data loaders, which live for one request.
pub fn with_loaders(request: Request, store: &Store, cache: &OrderCache) -> Request {
    request
        .data(OrderLoader::new(OrdersById(cache.clone())).with_yield_count(YIELDS))
        .data(LineLoader::new(LinesByOrder(store.clone())).with_yield_count(YIELDS))
        .data(RefundLoader::new(RefundsByOrder(store.clone())).with_yield_count(YIELDS))
        .data(HistoryLoader::new(HistoryByOrder(store.clone())).with_yield_count(YIELDS))
}
