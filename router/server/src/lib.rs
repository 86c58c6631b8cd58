//! The router's HTTP server: any federated supergraph in, one GraphQL endpoint out.
//!
//! - `routes`: addresses; `graphql_over_http`, `media_type`, `body`: requests in, answers out
//! - `pipeline`: the way of an operation, stage by stage; `stages`: the stages
//! - `limits`, `plan_cache`, `auth`: shape limits, prepared operations, tokens and directives
//! - `client_address`, `rate_limit`, `gcra`: how often one client may call; `session_cookie`: browser apps
//! - `headers`, `header_rules`, `identity`: what subgraphs are told; `cors`: what browsers may do
//! - `operation_log`: which operations clients send
//! - `active_supergraph`, `reload`: the supergraph in service and its replacement
//! - `config`, `redis`, `outbound`, `error`, `telemetry`, `playground`
//! - `server`: putting it together, listening, stopping

mod active_supergraph;
mod auth;
mod body;
mod client_address;
pub mod config;
mod cors;
mod error;
mod gcra;
mod graphql_over_http;
mod header_rules;
mod headers;
mod identity;
mod limits;
mod media_type;
mod operation_log;
mod outbound;
mod override_labels;
mod pipeline;
mod plan_cache;
mod playground;
mod rate_limit;
mod redis;
mod reload;
mod routes;
mod server;
mod session_cookie;
mod stages;
mod telemetry;

pub use active_supergraph::ActivationError;
pub use config::{ConfigError, RouterConfig};
pub use identity::IdentitySecrets;
pub use operation_log::{LogFileError, OpenLogError, ReadOperationsError, read_operations};
pub use redis::RedisSetup;
pub use reload::{SupergraphDocument, SupergraphSource, SupergraphSourceError};
pub use server::{BuildError, Router, RouterSetup};
