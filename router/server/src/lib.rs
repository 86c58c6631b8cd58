//! The router's HTTP server: any federated supergraph in, one GraphQL endpoint out.
//!
//! - `routes`: addresses; `graphql_over_http`, `media_type`, `body`: requests in, answers out
//! - `pipeline`: the way of an operation, stage by stage; `stages`: the stages
//! - `limits`, `plan_cache`, `auth`: shape limits, prepared operations, tokens and directives
//! - `headers`, `identity`: what subgraphs are told; `cors`: what browsers may do
//! - `active_supergraph`, `reload`: the supergraph in service and its replacement
//! - `config`, `error`, `telemetry`, `playground`
//! - `server`: putting it together, listening, stopping

mod active_supergraph;
mod auth;
mod body;
pub mod config;
mod cors;
mod error;
mod graphql_over_http;
mod headers;
mod identity;
mod limits;
mod media_type;
mod override_labels;
mod pipeline;
mod plan_cache;
mod playground;
mod reload;
mod routes;
mod server;
mod stages;
mod telemetry;

pub use active_supergraph::ActivationError;
pub use config::{ConfigError, RouterConfig};
pub use reload::{SupergraphSource, SupergraphSourceError};
pub use server::{BuildError, Router, RouterSetup};
