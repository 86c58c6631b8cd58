//! Tells the router which sessions have ended, through Redis; ARCHITECTURE.md, "Ended sessions". Postgres is the truth: what could not be
//! told is told again every second, and a Redis that lost its data is told everything that still matters.

use std::time::Duration;

use chrono::{DateTime, Utc};
use fondaco_chassis::{ApiError, Redis};
use fondaco_contracts::SessionId;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::access_token;

/// How long an ended session matters: until the last access token of it has expired, with leeway for clocks.
const MATTERS_SECONDS: u64 = access_token::LIFETIME_SECONDS + 300;
const PAUSE: Duration = Duration::from_secs(1);
const BATCH: i64 = 500;

/// Ended sessions, in Postgres and in Redis. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Revocations {
    pool: PgPool,
    redis: Redis,
}

impl Revocations {
    /// Sessions in `pool`, told to `redis`.
    pub fn new(pool: PgPool, redis: Redis) -> Self {
        Self { pool, redis }
    }

    /// Tells Redis that these sessions have just ended; where that fails, [`Revocations::run`] does it later.
    pub async fn announce(&self, sessions: &[SessionId]) {
        let now = Utc::now();
        let ended: Vec<_> = sessions.iter().map(|id| (id.as_uuid(), now)).collect();
        if let Err(error) = self.tell(&ended).await {
            tracing::warn!(error.cause = %error, sessions = ended.len(), "ended sessions will be announced later");
        }
    }

    /// Tells what was not told, every second, until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut failing = false;
        while stop
            .run_until_cancelled(tokio::time::sleep(PAUSE))
            .await
            .is_some()
        {
            let outcome = self.catch_up().await;
            if let Err(error) = &outcome
                && !failing
            {
                tracing::warn!(error.cause = %error, "ended sessions cannot be announced");
            }
            failing = outcome.is_err();
        }
    }

    async fn catch_up(&self) -> Result<(), ApiError> {
        if self.has_forgotten().await? {
            sqlx::query("update sessions set announced_at = null where revoked_at > $1")
                .bind(still_matters())
                .execute(&self.pool)
                .await?;
        }
        loop {
            let ended: Vec<(Uuid, DateTime<Utc>)> = sqlx::query_as(
                "select id, revoked_at from sessions
                 where revoked_at > $1 and announced_at is null order by revoked_at limit $2",
            )
            .bind(still_matters())
            .bind(BATCH)
            .fetch_all(&self.pool)
            .await?;
            self.tell(&ended).await?;
            if ended.len() < BATCH as usize {
                return self.remember().await;
            }
        }
    }

    async fn tell(&self, ended: &[(Uuid, DateTime<Utc>)]) -> Result<(), ApiError> {
        if ended.is_empty() {
            return Ok(());
        }
        let mut pipeline = redis::pipe();
        for (id, at) in ended {
            let key = self.redis.key(format_args!("session:revoked:{id}"));
            pipeline.cmd("SET").arg(key).arg(at.timestamp());
            pipeline.arg("EX").arg(MATTERS_SECONDS).ignore();
        }
        for (id, _) in ended {
            let channel = self.redis.key("session:revoked");
            pipeline.cmd("PUBLISH").arg(channel).arg(id.to_string()).ignore();
        }
        let () = pipeline.query_async(&mut self.redis.connection()).await?;
        let ids: Vec<Uuid> = ended.iter().map(|(id, _)| *id).collect();
        sqlx::query("update sessions set announced_at = now() where id = any($1)")
            .bind(ids)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Is this another Redis than the one [`Revocations::remember`] marked, or one without the mark? A Redis that restarts from a
    /// snapshot has the mark, but not what was written after the snapshot.
    async fn has_forgotten(&self) -> Result<bool, ApiError> {
        let marked: Option<String> = redis::cmd("GET")
            .arg(self.redis.key("session:announced"))
            .query_async(&mut self.redis.connection())
            .await?;
        Ok(marked != Some(self.run_id().await))
    }

    async fn remember(&self) -> Result<(), ApiError> {
        let () = redis::cmd("SET")
            .arg(self.redis.key("session:announced"))
            .arg(self.run_id().await)
            .query_async(&mut self.redis.connection())
            .await?;
        Ok(())
    }

    /// What Redis calls this run of itself; empty where we may not ask.
    async fn run_id(&self) -> String {
        let told: Result<String, _> = redis::cmd("INFO")
            .arg("server")
            .query_async(&mut self.redis.connection())
            .await;
        let told = told.unwrap_or_default();
        let run_id = told.lines().find_map(|line| line.strip_prefix("run_id:"));
        run_id.unwrap_or_default().trim().to_owned()
    }
}

fn still_matters() -> DateTime<Utc> {
    Utc::now() - Duration::from_secs(MATTERS_SECONDS)
}
