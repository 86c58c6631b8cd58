//! The order subgraph's schema.

mod connection;
mod entity;
mod loaders;
mod mutation;
mod query;
mod types;

use async_graphql::{EmptySubscription, Request, SchemaBuilder};
use fondaco_chassis::federation;

pub use mutation::Mutation;
pub use query::Query;

use crate::store::Store;

/// The schema without its data.
pub fn builder() -> SchemaBuilder<Query, Mutation, EmptySubscription> {
    federation::schema(Query, Mutation)
}

/// Adds the data loaders, which live for one request.
pub fn with_loaders(request: Request, store: &Store) -> Request {
    request
        .data(loaders::order_loader(store.clone()))
        .data(loaders::line_loader(store.clone()))
}
