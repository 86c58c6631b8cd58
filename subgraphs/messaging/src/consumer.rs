//! The consumer: reads a stream in a group and has each event's effect committed exactly once.
//!
//! An entry is acknowledged after its effect is committed together with its inbox row. A consumer that dies leaves its entries
//! pending; another takes them over after [`ABANDONED_AFTER`]. Entries are handled in order: what was read at once in one
//! transaction, and where that fails one after another, each retried in place a few times and then parked among the
//! [dead letters](dead_letter), so that what comes after it is not held up for long.

use std::time::Duration;

use fondaco_contracts::Event;
use redis::{
    AsyncCommands, RedisError,
    aio::ConnectionManager,
    streams::{StreamAutoClaimOptions, StreamAutoClaimReply, StreamId, StreamReadOptions, StreamReadReply},
};
use sqlx::PgPool;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    chore::{Chore, Left},
    dead_letter::{self, Grave},
    effect::{self, HandleError, Handler},
    inbox,
};

/// An entry that was delivered this long ago and not acknowledged may be taken over.
pub const ABANDONED_AFTER: Duration = Duration::from_secs(5);

const BATCH: usize = 64;
const BLOCK: Duration = Duration::from_millis(500);
const CLAIM_EVERY: Duration = Duration::from_secs(2);
const PRUNE_EVERY: Duration = Duration::from_secs(30);
/// Longer than any event takes to be published again: by then the inbox must still know it.
const RETENTION: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const MAX_ATTEMPTS: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const MAX_PAUSE: Duration = Duration::from_secs(1);

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
        let mut claiming = Chore::new(CLAIM_EVERY);
        let mut pruning = Chore::new(PRUNE_EVERY);
        while !stop.is_cancelled() {
            let mut entries = Vec::new();
            if claiming.is_due() {
                entries = self.claim_abandoned().await?;
                claiming.done(Left::Nothing);
                self.replay(handler).await;
            }
            if entries.is_empty() {
                entries = self.read_new().await?;
            }
            self.process(handler, &entries, stop).await?;
            if pruning.is_due() {
                pruning.done(self.prune().await);
            }
        }
        Ok(())
    }

    /// Forgets old events. A failure can wait for the next time; whatever ails Postgres shows where events are handled.
    async fn prune(&self) -> Left {
        let pruned = async {
            let mut connection = self.pool.acquire().await?;
            inbox::prune(&mut connection, self.group, RETENTION).await
        };
        pruned.await.unwrap_or_else(|error| {
            tracing::debug!(stream = self.stream, error.cause = %error, "inbox not pruned");
            Left::Nothing
        })
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

    /// Brings entries to their end.
    async fn process(
        &mut self,
        handler: &impl Handler,
        entries: &[StreamId],
        stop: &CancellationToken,
    ) -> Result<(), RedisError> {
        if entries.len() > 1 && self.process_together(handler, entries).await? {
            return Ok(());
        }
        for entry in entries {
            self.process_alone(handler, entry, stop).await?;
        }
        Ok(())
    }

    /// One commit for all; false where anything at all is wrong with any of them.
    async fn process_together(
        &mut self,
        handler: &impl Handler,
        entries: &[StreamId],
    ) -> Result<bool, RedisError> {
        let parsed: Result<Vec<Event>, _> = entries
            .iter()
            .map(|entry| serde_json::from_str(&body(entry)))
            .collect();
        let Ok(events) = parsed else { return Ok(false) };
        if let Err(error) = effect::commit(&self.pool, self.group, handler, &events).await {
            tracing::debug!(stream = self.stream, error.cause = %error, "events are handled one by one");
            return Ok(false);
        }
        let ids: Vec<&str> = entries.iter().map(|entry| entry.id.as_str()).collect();
        self.redis
            .xack::<_, _, _, ()>(&self.stream, self.group, &ids)
            .await?;
        Ok(true)
    }

    /// Brings one entry to its end: committed, or dead. Returns early only when told to stop.
    async fn process_alone(
        &mut self,
        handler: &impl Handler,
        entry: &StreamId,
        stop: &CancellationToken,
    ) -> Result<(), RedisError> {
        let body = body(entry);
        let event = match serde_json::from_str::<Event>(&body) {
            Ok(event) => event,
            Err(error) => {
                let reason = error.to_string();
                return self.park(entry, None, &body, &reason, 1, stop).await;
            }
        };
        let (mut failures, mut pause) = (0, FIRST_PAUSE);
        while !stop.is_cancelled() {
            match effect::commit(&self.pool, self.group, handler, std::slice::from_ref(&event)).await {
                Ok(()) => return self.redis.xack(&self.stream, self.group, &[&entry.id]).await,
                Err(HandleError::Failed(reason)) if failures + 1 == MAX_ATTEMPTS => {
                    return self
                        .park(entry, Some(&event), &body, &reason, MAX_ATTEMPTS, stop)
                        .await;
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

    /// Out of the group's way once it is durable; until then the entry stays, and stays with this member.
    async fn park(
        &mut self,
        entry: &StreamId,
        event: Option<&Event>,
        body: &str,
        reason: &str,
        attempts: u32,
        stop: &CancellationToken,
    ) -> Result<(), RedisError> {
        let grave = Grave {
            consumer: self.group,
            stream: &self.stream,
            entry: &entry.id,
            event,
            body,
            reason,
            attempts,
        };
        let mut pause = FIRST_PAUSE;
        while let Err(error) = dead_letter::park(&self.pool, &grave).await {
            tracing::warn!(stream = self.stream, error.cause = %error, "a dead letter cannot be parked yet");
            if stop.run_until_cancelled(sleep(pause)).await.is_none() {
                return Ok(());
            }
            pause = (pause * 2).min(MAX_PAUSE);
        }
        tracing::error!(
            stream = self.stream,
            entry = entry.id,
            error.cause = reason,
            "event parked among the dead letters"
        );
        self.redis.xack(&self.stream, self.group, &[&entry.id]).await
    }

    /// Handles letters again that somebody wants replayed. What fails for want of a server is tried the next time.
    async fn replay(&self, handler: &impl Handler) {
        let letters = dead_letter::to_replay(&self.pool, self.group).await;
        let letters = letters.unwrap_or_else(|error| {
            tracing::debug!(stream = self.stream, error.cause = %error, "dead letters not looked at");
            Vec::new()
        });
        for letter in letters {
            let handled = match serde_json::from_str::<Event>(&letter.body) {
                Ok(event) => effect::commit(&self.pool, self.group, handler, &[event]).await,
                Err(error) => Err(HandleError::Failed(error.to_string())),
            };
            let noted = match handled {
                Ok(()) => {
                    tracing::info!(stream = self.stream, letter.id, "dead letter replayed");
                    Ok(())
                }
                Err(HandleError::Failed(reason)) => {
                    dead_letter::failed_again(&self.pool, letter.id, &reason).await
                }
                Err(HandleError::Unavailable(_)) => Ok(()),
            };
            if let Err(error) = noted {
                tracing::warn!(stream = self.stream, letter.id, error.cause = %error, "a replayed letter was not noted");
            }
        }
    }
}

fn body(entry: &StreamId) -> String {
    entry.get("event").unwrap_or_default()
}

impl std::fmt::Debug for Consumer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Consumer")
            .field("stream", &self.stream)
            .field("group", &self.group)
            .finish_non_exhaustive()
    }
}
