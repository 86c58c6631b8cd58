//! Drives the built `fondaco` binary from outside, over HTTP only; links no other crate of the workspace.
//!
//! - [`program`]: child processes of the binary under test
//! - [`cable`]: a connection to a server that can be cut
//! - [`port`], [`scratch`]: free ports and temporary folders
//! - [`platform`]: a whole platform of its own, in one process or many
//! - [`client`]: a GraphQL client
//! - [`provider`]: an outside OpenID Connect provider
//! - [`shop`], [`scenario`]: what people do in the shop, and stories made of it
//! - [`chaos`]: faults by the dozen, and what must be true afterwards
//! - [`redis_server`], [`postgres_server`]: servers to be killed; [`freeze`]: processes that stand still; [`disk`]: one that can be full
//! - [`bank`]: a payment provider that loses replies
//! - [`logs`]: what logs must not hold
//! - [`abuse`]: what attackers do, as tables
//! - [`audit`]: the public federation audit, run against `fondaco router`

pub mod abuse;
pub mod audit;
pub mod bank;
pub mod cable;
pub mod chaos;
pub mod client;
pub mod disk;
pub mod freeze;
pub mod logs;
pub mod platform;
pub mod port;
pub mod postgres_server;
pub mod program;
pub mod provider;
pub mod redis_server;
pub mod scenario;
pub mod scratch;
pub mod shop;
