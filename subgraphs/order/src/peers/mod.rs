//! What this service asks of others, each over GraphQL.

pub mod inventory;
pub mod payment;
pub mod product;
