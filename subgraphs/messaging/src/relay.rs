//! The relay: moves outbox rows to a Redis stream, in order, at least once.
//!
//! One relay per outbox works at a time: it holds a session advisory lock on the connection by which it also reads and marks rows, so
//! losing the lock means losing the connection, and with it the batch. A batch is published in one Redis transaction and then
//! marked; a crash between the two publishes it again, which consumers recognise by the events' ids.
//!
//! Batches are numbered, in Postgres and beside the stream. A number beside the stream that is missing or too low says that Redis has
//! lost entries (a crash, a flush, an old snapshot): everything that some consumer is not known to have handled is published again.

use std::{sync::Arc, time::Duration};

use fondaco_contracts::Event;
use redis::{AsyncCommands, RedisError, aio::ConnectionManager};
use sqlx::{Connection, PgConnection, PgPool, Row, postgres::PgRow};
use tokio::{
    sync::Notify,
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{chore::Chore, outbox, progress};

const BATCH: i64 = 256;
const POLL: Duration = Duration::from_millis(250);
/// Between two batches: under load it makes them larger, and each costs both stores less.
const PACE: Duration = Duration::from_millis(20);
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
    outdated: Shown<Outdated>,
}

/// The key that an event outdates, if any.
type Outdated = Box<dyn Fn(&Event) -> Option<String> + Send + Sync>;

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
pub(crate) enum RelayError {
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
            outdated: Shown(Box::new(|_| None)),
        }
    }

    /// Has the key deleted that an event outdates, each time before the event is published: a crash of this process, or a Redis that loses
    /// the deletion, cannot lose it alone.
    #[must_use]
    pub fn deleting(mut self, outdated: impl Fn(&Event) -> Option<String> + Send + Sync + 'static) -> Self {
        self.outdated = Shown(Box::new(outdated));
        self
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
        let mut batch = last_batch(connection).await?;
        loop {
            if self.is_behind(self.published().await?, batch) {
                publish_again(connection).await?;
                self.set_published(batch).await?;
            }
            let begun = Instant::now();
            let moved = self.move_batch(connection, &mut batch).await?;
            if tidying.is_due() {
                let mut redis = self.redis.0.clone();
                progress::note(connection, &mut redis, &self.stream, batch).await?;
                progress::trim(&mut redis, &self.stream).await?;
                tidying.done(outbox::prune(connection, RETENTION).await?);
            }
            if moved < BATCH as usize {
                // An elapsed wait is the poll.
                drop(timeout(POLL, self.wake.0.notified()).await);
                sleep_until(begun + PACE).await;
            }
        }
    }

    async fn move_batch(&self, connection: &mut PgConnection, batch: &mut i64) -> Result<usize, RelayError> {
        let rows = unpublished(connection).await?;
        if rows.is_empty() {
            return Ok(0);
        }
        let next = *batch + 1;
        self.delete_outdated(&rows).await?;
        let before = self.publish(&rows, next).await?;
        mark_published(connection, rows.iter().map(|row| row.position).collect(), next).await?;
        if self.is_behind(before, *batch) {
            publish_again(connection).await?;
        }
        *batch = next;
        Ok(rows.len())
    }

    async fn delete_outdated(&self, rows: &[OutboxRow]) -> Result<(), RelayError> {
        let mut delete = redis::pipe();
        for key in rows.iter().filter_map(|row| (self.outdated.0)(&row.event)) {
            delete.unlink(key).ignore();
        }
        if delete.is_empty() {
            return Ok(());
        }
        Ok(delete.exec_async(&mut self.redis.0.clone()).await?)
    }

    /// Appends the rows to the stream; gives the number of the batch that was there before.
    async fn publish(&self, rows: &[OutboxRow], batch: i64) -> Result<Option<i64>, RelayError> {
        let mut publish = redis::pipe();
        publish.atomic();
        for row in rows {
            publish
                .cmd("XADD")
                .arg(&self.stream)
                .arg("*")
                .arg(progress::EVENT)
                .arg(serde_json::to_string(&row.event)?)
                .arg(progress::BATCH)
                .arg(batch)
                .ignore();
        }
        publish.cmd("SET").arg(self.number_key()).arg(batch).arg("GET");
        let (before,): (Option<i64>,) = publish.query_async(&mut self.redis.0.clone()).await?;
        Ok(before)
    }

    /// The number of the batch that the stream has last.
    async fn published(&self) -> Result<Option<i64>, RelayError> {
        Ok(self.redis.0.clone().get(self.number_key()).await?)
    }

    /// From now on the stream has what it should: what was lost is unpublished again.
    async fn set_published(&self, batch: i64) -> Result<(), RelayError> {
        Ok(self.redis.0.clone().set(self.number_key(), batch).await?)
    }

    fn is_behind(&self, published: Option<i64>, batch: i64) -> bool {
        let is_behind = published.unwrap_or(0) < batch;
        if is_behind {
            tracing::warn!(
                stream = self.stream,
                batch,
                "Redis has lost events; they are published again"
            );
        }
        is_behind
    }

    /// In the stream's own slot of a Redis Cluster.
    fn number_key(&self) -> String {
        format!("{{{}}}:batch", self.stream)
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

async fn last_batch(connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("select batch from outbox_relay")
        .fetch_one(connection)
        .await
}

async fn mark_published(
    connection: &mut PgConnection,
    positions: Vec<i64>,
    batch: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "with numbered as (update outbox_relay set batch = $2)
         update outbox set published_at = now(), batch = $2 where position = any($1)",
    )
    .bind(positions)
    .bind(batch)
    .execute(connection)
    .await
    .map(drop)
}

/// Consumers that have handled some of it know so by their inbox.
async fn publish_again(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update outbox set published_at = null, batch = null
         where published_at is not null
            and (batch is null or batch > coalesce((select min(batch) from outbox_progress), 0))",
    )
    .execute(connection)
    .await
    .map(drop)
}

/// `Debug` for what has none.
struct Shown<T>(T);

impl<T> std::fmt::Debug for Shown<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("_")
    }
}
