//! The inventory subgraph's schema.

mod entity;
mod mutation;
mod query;
mod reserve;
mod types;

use async_graphql::{EmptySubscription, MergedObject, SchemaBuilder};
use fondaco_chassis::federation;

use entity::EntityQuery;
use mutation::AdjustMutation;
use query::StockQuery;
use reserve::ReserveMutation;

/// The root of queries: what clients ask, and what the router resolves by key.
#[derive(MergedObject, Default)]
#[graphql(name = "Query")]
pub struct Query(StockQuery, EntityQuery);

/// The mutation root.
#[derive(MergedObject, Default)]
#[graphql(name = "Mutation")]
pub struct Mutation(AdjustMutation, ReserveMutation);

/// The schema without its data.
pub fn builder() -> SchemaBuilder<Query, Mutation, EmptySubscription> {
    federation::schema(Query::default(), Mutation::default())
}
