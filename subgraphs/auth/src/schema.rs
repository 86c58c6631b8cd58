//! The GraphQL side of the auth service.

use async_graphql::{EmptySubscription, SchemaBuilder};
use fondaco_chassis::federation;

use self::{mutation::Mutation, query::Query};

pub mod mutation;
pub mod query;
mod request;
pub mod types;

/// The schema, before it is given its data.
pub fn builder() -> SchemaBuilder<Query, Mutation, EmptySubscription> {
    federation::schema(Query, Mutation::default())
}
