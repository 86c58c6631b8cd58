//! The relay: moves outbox rows to a Redis stream, in order, at least once.
//!
//! One relay per outbox works at a time: it holds a session advisory lock on the connection by which it also reads and marks rows, so
//! losing the lock means losing the connection, and with it the batch. A batch is published in one Redis transaction and then
//! marked; a crash between the two publishes it again, which consumers recognise by the events' ids.

use std::{sync::Arc, time::Duration};

use fondaco_contracts::Event;
use redis::{
    AsyncCommands, RedisError,
    aio::ConnectionManager,
    streams::{StreamInfoGroupsReply, StreamPendingReply},
};
use sqlx::{Connection, PgConnection, PgPool, Row, postgres::PgRow};
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{chore::Chore, outbox};

const BATCH: i64 = 256;
const POLL: Duration = Duration::from_millis(250);
const STANDBY: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_secs(1);
const TIDY_EVERY: Duration = Duration::from_secs(30);
/// How long published rows stay, for people to look at.
const RETENTION: Duration = Duration::from_secs(7 * 24 * 60 * 60);
const LOCK_NAME: &str = "fondaco outbox relay";

/// Moves the rows of one service's outbox.
#[derive(Debug)]
pub struct Relay {
    pool: PgPool,
    redis: Shown<ConnectionManager>,
    stream: String,
    wake: Wake,
    tidy_every: Duration,
}

/// Tells the relay that a row was committed. A hint: without it the row waits for the next poll.
#[derive(Clone, Debug, Default)]
pub struct Wake(Arc<Notify>);

impl Wake {
    /// Call it after the commit.
    pub fn notify(&self) {
        self.0.notify_one();
    }
}

/// Why a batch was not moved; the relay waits and tries again.
#[derive(Debug, thiserror::Error)]
enum RelayError {
    #[error("postgres: {0}")]
    Postgres(#[from] sqlx::Error),
    #[error("redis: {0}")]
    Redis(#[from] RedisError),
    #[error("an event cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl Relay {
    /// A relay from the outbox behind `pool` to `stream`.
    pub fn new(pool: PgPool, redis: ConnectionManager, stream: String) -> Self {
        Self {
            pool,
            redis: Shown(redis),
            stream,
            wake: Wake::default(),
            tidy_every: TIDY_EVERY,
        }
    }

    /// Changes how often acknowledged entries are dropped from the stream and old rows from the outbox; 30 s by default.
    #[must_use]
    pub fn tidy_every(mut self, interval: Duration) -> Self {
        self.tidy_every = interval;
        self
    }

    /// The handle by which writers hurry the relay.
    pub fn wake(&self) -> Wake {
        self.wake.clone()
    }

    /// Works until `stop`. Outages of Postgres and Redis are waited out.
    pub async fn run(self, stop: CancellationToken) {
        let mut pause = POLL;
        while !stop.is_cancelled() {
            let worked = stop.run_until_cancelled(self.work()).await;
            let Some(Err(error)) = worked else { break };
            tracing::warn!(stream = self.stream, error.cause = %error, "relay interrupted");
            stop.run_until_cancelled(sleep(pause)).await;
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }

    /// Becomes the active relay, then moves batches until something fails.
    async fn work(&self) -> Result<(), RelayError> {
        let mut connection = self.pool.acquire().await?.detach();
        let outcome = self.work_on(&mut connection).await;
        // Closing the session releases the lock; if even that fails, the server notices the loss itself.
        drop(connection.close().await);
        outcome
    }

    async fn work_on(&self, connection: &mut PgConnection) -> Result<(), RelayError> {
        while !try_lock(connection).await? {
            sleep(STANDBY).await;
        }
        let mut tidying = Chore::new(self.tidy_every);
        loop {
            let moved = self.move_batch(connection).await?;
            if tidying.is_due() {
                trim(&mut self.redis.0.clone(), &self.stream).await?;
                tidying.done(outbox::prune(connection, RETENTION).await?);
            }
            if moved < BATCH as usize {
                // An elapsed wait is the poll.
                drop(timeout(POLL, self.wake.0.notified()).await);
            }
        }
    }

    async fn move_batch(&self, connection: &mut PgConnection) -> Result<usize, RelayError> {
        let rows = unpublished(connection).await?;
        if rows.is_empty() {
            return Ok(0);
        }
        let mut publish = redis::pipe();
        publish.atomic();
        for row in &rows {
            let body = serde_json::to_string(&row.event)?;
            publish
                .cmd("XADD")
                .arg(&self.stream)
                .arg("*")
                .arg("event")
                .arg(body)
                .ignore();
        }
        publish.query_async::<()>(&mut self.redis.0.clone()).await?;
        mark_published(connection, rows.iter().map(|row| row.position).collect()).await?;
        Ok(rows.len())
    }
}

struct OutboxRow {
    position: i64,
    event: Event,
}

async fn try_lock(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("select pg_try_advisory_lock(hashtextextended($1, 0))")
        .bind(LOCK_NAME)
        .fetch_one(connection)
        .await
}

async fn unpublished(connection: &mut PgConnection) -> Result<Vec<OutboxRow>, sqlx::Error> {
    let rows = sqlx::query(
        "select position, id, aggregate_id, name, payload, occurred_at
         from outbox where published_at is null order by position limit $1",
    )
    .bind(BATCH)
    .fetch_all(connection)
    .await?;
    rows.iter().map(read_row).collect()
}

fn read_row(row: &PgRow) -> Result<OutboxRow, sqlx::Error> {
    let id: uuid::Uuid = row.try_get("id")?;
    let event = Event {
        id: id.into(),
        aggregate_id: row.try_get("aggregate_id")?,
        name: row.try_get("name")?,
        payload: row.try_get("payload")?,
        occurred_at: row.try_get("occurred_at")?,
    };
    Ok(OutboxRow {
        position: row.try_get("position")?,
        event,
    })
}

async fn mark_published(connection: &mut PgConnection, positions: Vec<i64>) -> Result<(), sqlx::Error> {
    sqlx::query("update outbox set published_at = now() where position = any($1)")
        .bind(positions)
        .execute(connection)
        .await
        .map(drop)
}

/// Drops the entries that every group has acknowledged. Without a group nothing is dropped: somebody may yet come to read.
async fn trim(redis: &mut ConnectionManager, stream: &str) -> Result<(), RedisError> {
    if !redis.exists::<_, bool>(stream).await? {
        return Ok(());
    }
    let groups: StreamInfoGroupsReply = redis.xinfo_groups(stream).await?;
    let mut oldest_needed: Option<(u64, u64)> = None;
    for group in groups.groups {
        let pending: StreamPendingReply = redis.xpending(stream, &group.name).await?;
        let needed = match pending {
            StreamPendingReply::Data(data) => data.start_id,
            _ => group.last_delivered_id,
        };
        let Some(needed) = parse_entry_id(&needed) else {
            return Ok(());
        };
        oldest_needed = Some(oldest_needed.map_or(needed, |oldest| oldest.min(needed)));
    }
    let Some((milliseconds, sequence)) = oldest_needed else {
        return Ok(());
    };
    let least = format!("{milliseconds}-{sequence}");
    redis::cmd("XTRIM")
        .arg(stream)
        .arg("MINID")
        .arg("~")
        .arg(least)
        .query_async::<()>(redis)
        .await
}

fn parse_entry_id(id: &str) -> Option<(u64, u64)> {
    let (milliseconds, sequence) = id.split_once('-')?;
    Some((milliseconds.parse().ok()?, sequence.parse().ok()?))
}

/// `Debug` for a connection that has none.
struct Shown<T>(T);

impl<T> std::fmt::Debug for Shown<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("connection")
    }
}
