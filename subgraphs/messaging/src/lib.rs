//! Events that are neither lost nor acted on twice: a transactional outbox, a relay to Redis streams, and consumers with an inbox.
//!
//! - [`outbox`]: the writer's side: an event is a row of the transaction that made it true
//! - [`relay`]: moves rows to the stream, in order, at least once
//! - [`consumer`]: reads the stream in a group, retries, gives up into the dead letters
//! - [`effect`]: what a service does about an event, and its commit
//! - [`inbox`]: makes "at least once" act once
//! - [`dead_letter`]: events nobody could handle, parked in the reader's database
//! - `progress`: how far the readers of a stream have come
//! - `chore`: what is due now and then: trimming streams, pruning tables
//!
//! # Use
//!
//! The writer's migrations contain [`outbox::DDL`] and [`outbox::PROGRESS_DDL`], the reader's [`inbox::DDL`] and [`dead_letter::DDL`]; a test
//! of each compares.
//!
//! ```ignore
//! // writer
//! let mut tx = pool.begin().await?;
//! store::confirm(&mut tx, order).await?;
//! outbox::append(&mut tx, &OrderEvent::Confirmed.about(order)).await?;
//! tx.commit().await?;
//! wake.notify();                                              // a hint: the relay polls anyway
//! let relay = Relay::new(pool, redis.connection(), redis.key("events:order"));
//! let wake = relay.wake();
//! tasks.spawn("order.relay", |stop| relay.run(stop));
//!
//! // reader
//! let connection = Redis::blocking_connection(runtime)?;
//! let consumer = Consumer::new(pool, connection, redis.key("events:order"), "inventory");
//! tasks.spawn("inventory.orders", |stop| consumer.run(handler, stop));
//! ```

mod chore;
pub mod consumer;
pub mod dead_letter;
pub mod effect;
pub mod inbox;
pub mod outbox;
mod progress;
pub mod relay;

pub use consumer::Consumer;
pub use effect::{HandleError, Handler};
pub use relay::{Relay, Wake};
