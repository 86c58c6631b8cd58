//! HTTP-level tests of the router over subgraphs in the same process.

#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing has failed")]

mod authentication;
mod authorization;
mod bad_input;
mod client;
mod issuer;
mod lifecycle;
mod requests;
#[allow(
    clippy::duplicated_attributes,
    reason = "each field of an interface has its own attribute"
)]
mod subgraphs;
