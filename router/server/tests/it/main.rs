//! HTTP-level tests of the router over subgraphs in the same process.

#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing has failed")]

mod authentication;
mod authorization;
mod bad_input;
mod client;
mod coprocessor;
mod issuer;
mod issuers;
mod key_sets;
mod lifecycle;
mod operation_log;
mod policies;
mod rate_limits;
mod redis_proxy;
mod requests;
mod session_cookie;
mod sessions;
mod shared_operation_log;
#[allow(
    clippy::duplicated_attributes,
    reason = "each field of an interface has its own attribute"
)]
mod subgraphs;
