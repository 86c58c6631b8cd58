//! The order service against real Postgres, Redis and payment; product and inventory are small fakes behind the same calls.

#![expect(clippy::unwrap_used, reason = "what serves tests may panic like a test")]

mod after_sale;
mod cache;
mod cancellation;
mod crashes;
mod drafts;
mod faults;
mod key_retention;
mod lost_stock;
mod peers;
mod purchase;
mod queries;
mod schema;
mod shop;
mod two_steps;
mod wishlist;
