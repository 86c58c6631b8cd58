//! The consumer: reads a stream in a group and has each event's effect committed exactly once.
//!
//! An entry is acknowledged after its effect is committed together with its inbox row. A consumer that dies leaves its entries
//! pending; another takes them over after [`ABANDONED_AFTER`]. Entries are handled one after another and retried in place, so
//! events of one aggregate keep their order.

use std::{future::Future, panic::AssertUnwindSafe, time::Duration};

use fondaco_contracts::Event;
use futures::FutureExt;
use redis::{
    AsyncCommands, RedisError,
    aio::ConnectionManager,
    streams::{StreamAutoClaimOptions, StreamAutoClaimReply, StreamId, StreamReadOptions, StreamReadReply},
};
use sqlx::{PgConnection, PgPool};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{dead_letter, inbox};

/// An entry that was delivered this long ago and not acknowledged may be taken over.
pub const ABANDONED_AFTER: Duration = Duration::from_secs(5);

const BATCH: usize = 64;
const BLOCK: Duration = Duration::from_millis(500);
const CLAIM_EVERY: Duration = Duration::from_secs(2);
const MAX_ATTEMPTS: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const MAX_PAUSE: Duration = Duration::from_secs(1);

/// What a service does about an event.
pub trait Handler: Send + Sync + 'static {
    /// Has the effect of `event`. What is written by `connection` is committed together with the inbox row; effects elsewhere must
    /// be idempotent, since they are repeated when the commit fails.
    fn handle(
        &self,
        connection: &mut PgConnection,
        event: &Event,
    ) -> impl Future<Output = Result<(), HandleError>> + Send;
}

/// Why an event had no effect.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// Something needed does not answer: tried again until it does.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// This event cannot be handled: tried five times, then moved to the dead letters.
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

/// Reads `stream` as one member of `group`.
pub struct Consumer {
    pool: PgPool,
    redis: ConnectionManager,
    stream: String,
    group: &'static str,
    member: String,
}

impl Consumer {
    /// A member of `group` with a name of its own. `redis` must not be shared: its commands block.
    pub fn new(pool: PgPool, redis: ConnectionManager, stream: String, group: &'static str) -> Self {
        Self {
            pool,
            redis,
            stream,
            group,
            member: Uuid::new_v4().to_string(),
        }
    }

    /// Works until `stop`. Outages of Postgres and Redis are waited out.
    pub async fn run(mut self, handler: impl Handler, stop: CancellationToken) {
        let mut pause = FIRST_PAUSE;
        while !stop.is_cancelled() {
            match self.work(&handler, &stop).await {
                Ok(()) => break,
                Err(error) => {
                    tracing::warn!(stream = self.stream, error.cause = %error, "consumer interrupted");
                    stop.run_until_cancelled(sleep(pause)).await;
                    pause = (pause * 2).min(MAX_PAUSE);
                }
            }
        }
    }

    async fn work(&mut self, handler: &impl Handler, stop: &CancellationToken) -> Result<(), RedisError> {
        self.join_group().await?;
        let mut claimed_at = None::<Instant>;
        while !stop.is_cancelled() {
            let claim_is_due = claimed_at.is_none_or(|at| at.elapsed() >= CLAIM_EVERY);
            let entries = if claim_is_due {
                self.claim_abandoned().await?
            } else {
                Vec::new()
            };
            claimed_at = if claim_is_due {
                Some(Instant::now())
            } else {
                claimed_at
            };
            let entries = if entries.is_empty() {
                self.read_new().await?
            } else {
                entries
            };
            for entry in entries {
                self.process(handler, &entry, stop).await?;
            }
        }
        Ok(())
    }

    /// The group starts at the stream's beginning: what was published before the first consumer came counts too.
    async fn join_group(&mut self) -> Result<(), RedisError> {
        let created: Result<(), RedisError> = self
            .redis
            .xgroup_create_mkstream(&self.stream, self.group, "0")
            .await;
        match created {
            Err(error) if error.code() == Some("BUSYGROUP") => Ok(()),
            other => other,
        }
    }

    async fn claim_abandoned(&mut self) -> Result<Vec<StreamId>, RedisError> {
        let idle = ABANDONED_AFTER.as_millis() as u64;
        let options = StreamAutoClaimOptions::default().count(BATCH);
        let claimed: StreamAutoClaimReply = self
            .redis
            .xautoclaim_options(&self.stream, self.group, &self.member, idle, "0-0", options)
            .await?;
        Ok(claimed.claimed)
    }

    async fn read_new(&mut self) -> Result<Vec<StreamId>, RedisError> {
        let options = StreamReadOptions::default()
            .group(self.group, &self.member)
            .count(BATCH)
            .block(BLOCK.as_millis() as usize);
        let read: Option<StreamReadReply> = self
            .redis
            .xread_options(&[&self.stream], &[">"], &options)
            .await?;
        let streams = read.map(|reply| reply.keys).unwrap_or_default();
        Ok(streams.into_iter().flat_map(|stream| stream.ids).collect())
    }

    /// Brings one entry to its end: committed, or dead. Returns early only when told to stop.
    async fn process(
        &mut self,
        handler: &impl Handler,
        entry: &StreamId,
        stop: &CancellationToken,
    ) -> Result<(), RedisError> {
        let body: String = entry.get("event").unwrap_or_default();
        let event = match serde_json::from_str::<Event>(&body) {
            Ok(event) => event,
            Err(error) => return self.bury(entry, &body, &error.to_string()).await,
        };
        let (mut failures, mut pause) = (0, FIRST_PAUSE);
        while !stop.is_cancelled() {
            match self.have_effect(handler, &event).await {
                Ok(()) => return self.redis.xack(&self.stream, self.group, &[&entry.id]).await,
                Err(HandleError::Failed(reason)) if failures + 1 == MAX_ATTEMPTS => {
                    return self.bury(entry, &body, &reason).await;
                }
                Err(error) => {
                    failures += u32::from(matches!(error, HandleError::Failed(_)));
                    tracing::warn!(event.id = %event.id, event.name, error.cause = %error, "event not handled yet");
                    stop.run_until_cancelled(sleep(pause)).await;
                    pause = (pause * 2).min(MAX_PAUSE);
                }
            }
        }
        Ok(())
    }

    async fn have_effect(&self, handler: &impl Handler, event: &Event) -> Result<(), HandleError> {
        let mut transaction = self.pool.begin().await?;
        if !inbox::record(&mut transaction, self.group, event.id).await? {
            return Ok(());
        }
        let handled = AssertUnwindSafe(handler.handle(&mut transaction, event))
            .catch_unwind()
            .await;
        handled.unwrap_or_else(|_| Err(HandleError::Failed("the handler panicked".to_owned())))?;
        transaction.commit().await?;
        Ok(())
    }

    async fn bury(&mut self, entry: &StreamId, body: &str, reason: &str) -> Result<(), RedisError> {
        tracing::error!(
            stream = self.stream,
            entry = entry.id,
            error.cause = reason,
            "event moved to dead letters"
        );
        dead_letter::bury(&mut self.redis, &self.stream, self.group, &entry.id, body, reason).await
    }
}

impl std::fmt::Debug for Consumer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Consumer")
            .field("stream", &self.stream)
            .field("group", &self.group)
            .finish_non_exhaustive()
    }
}
