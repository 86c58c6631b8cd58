//! Drives the built `fondaco` binary from outside, over HTTP only; links no other crate of the workspace.
//!
//! - [`program`]: child processes of the binary under test
//! - [`port`], [`scratch`]: free ports and temporary folders
//! - [`platform`]: a whole platform of its own, in one process or many
//! - [`client`]: a GraphQL client
//! - [`shop`], [`scenario`]: what people do in the shop, and stories made of it
//! - [`audit`]: the public federation audit, run against `fondaco router`

pub mod audit;
pub mod client;
pub mod platform;
pub mod port;
pub mod program;
pub mod scenario;
pub mod scratch;
pub mod shop;
