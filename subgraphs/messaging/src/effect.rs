//! The effect of an event: the service's side of a consumer, committed together with the inbox row.

use std::{future::Future, panic::AssertUnwindSafe};

use fondaco_contracts::{Event, EventId};
use futures::FutureExt;
use redis::RedisError;
use sqlx::{PgConnection, PgPool};

use crate::inbox;

/// What a service does about events.
pub trait Handler: Send + Sync + 'static {
    /// What is left to do elsewhere once the effects are committed.
    type FollowUp: Send;

    /// Has the effects of `events`, none of which was seen before, in their order. What is written by `connection` is committed
    /// together with the inbox rows; effects elsewhere must be idempotent, since they are repeated when the commit fails.
    fn handle(
        &self,
        connection: &mut PgConnection,
        events: &[Event],
    ) -> impl Future<Output = Result<Self::FollowUp, HandleError>> + Send;

    /// Comes after the commit. A process that dies in between never comes here, so nothing may depend on it alone.
    fn committed(&self, follow_up: Self::FollowUp) -> impl Future<Output = ()> + Send;
}

/// Why an event had no effect.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// Something needed does not answer: tried again until it does.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// This event cannot be handled: tried five times, then parked among the dead letters.
    #[error("failed: {0}")]
    Failed(String),
}

impl From<sqlx::Error> for HandleError {
    /// What the database says about the statement is a failure; anything else is the database's own trouble.
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(cause) => {
                let passing = ["08", "40", "53", "57", "58"];
                let passes = cause
                    .code()
                    .is_some_and(|code| passing.iter().any(|class| code.starts_with(class)));
                if passes {
                    Self::Unavailable(error.to_string())
                } else {
                    Self::Failed(error.to_string())
                }
            }
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Unavailable(error.to_string()),
            _ => Self::Failed(error.to_string()),
        }
    }
}

impl From<RedisError> for HandleError {
    fn from(error: RedisError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// Has the effects of those `events` that `consumer` has not seen, in order: all of them, or none.
pub(crate) async fn commit(
    pool: &PgPool,
    consumer: &str,
    handler: &impl Handler,
    events: &[Event],
) -> Result<(), HandleError> {
    let mut transaction = pool.begin().await?;
    let ids: Vec<EventId> = events.iter().map(|event| event.id).collect();
    let mut unseen = inbox::record(&mut transaction, consumer, &ids).await?;
    // Removing it covers an event that was published twice in a row.
    let new: Vec<Event> = events
        .iter()
        .filter(|event| unseen.remove(&event.id))
        .cloned()
        .collect();
    if new.is_empty() {
        return Ok(transaction.commit().await?);
    }
    let handled = AssertUnwindSafe(handler.handle(&mut transaction, &new))
        .catch_unwind()
        .await;
    let follow_up =
        handled.unwrap_or_else(|_| Err(HandleError::Failed("the handler panicked".to_owned())))?;
    transaction.commit().await?;
    handler.committed(follow_up).await;
    Ok(())
}
