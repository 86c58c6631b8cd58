//! What the subgraphs agree on: typed ids, money, user errors and event payloads.
//!
//! - [`id`]: UUIDv7 ids, one type an entity, each a GraphQL `ID`
//! - [`sku`]: the stock keeping unit, key of a product variant
//! - [`money`]: integer minor units with a currency; the GraphQL types `Money`, `Amount`, `CurrencyCode`
//! - [`user_error`]: what a mutation's payload tells the person who called it
//! - [`event`]: what is written to the outbox and carried by the streams; [`stock_event`]: what happens to stock

pub mod event;
pub mod id;
pub mod money;
pub mod sku;
pub mod stock_event;
pub mod user_error;

pub use event::{Event, OrderEvent, OrderFact, ReturnedUnits};
pub use id::{EventId, OrderId, PaymentId, ProductId, RefundId, ReservationId, SessionId, UserId};
pub use money::{CurrencyCode, Money, MoneyError};
pub use sku::Sku;
pub use stock_event::ReservationLost;
pub use user_error::{ErrorCode, UserError};
