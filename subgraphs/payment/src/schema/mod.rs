//! The payment subgraph's schema: `Order.payment` for clients, the charge for the order service.

mod entity;
mod loader;
mod mutation;
mod query;
mod types;

use async_graphql::{EmptySubscription, Schema, SchemaBuilder};
use fondaco_chassis::federation;

pub use loader::{ChargeLoader, charge_loader};
pub use mutation::Mutation;
pub use query::Query;

/// The schema without its data.
pub fn builder() -> SchemaBuilder<Query, Mutation, EmptySubscription> {
    federation::schema(Query, Mutation)
}

/// The finished schema.
pub type PaymentSchema = Schema<Query, Mutation, EmptySubscription>;
