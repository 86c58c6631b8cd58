//! The product subgraph's schema.

mod entity;
mod mutation;
mod query;
mod types;

use async_graphql::{EmptySubscription, MergedObject, SchemaBuilder};
use fondaco_chassis::federation;

use entity::EntityQuery;
use mutation::Mutation;
use query::CatalogueQuery;

/// The root of queries: what clients ask, and what the router resolves by key.
#[derive(MergedObject, Default)]
#[graphql(name = "Query")]
pub struct Query(CatalogueQuery, EntityQuery);

/// The schema without its data.
pub fn builder() -> SchemaBuilder<Query, Mutation, EmptySubscription> {
    federation::schema(Query::default(), Mutation)
}
