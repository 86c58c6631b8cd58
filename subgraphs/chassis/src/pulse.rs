//! Postgres' pulse: whether it answers at all, and what time it has.
//!
//! A server that is gone refuses connections; one that stands still, or whose host has vanished, takes statements and never answers, and no
//! setting of the server helps then. So one connection of its own asks a trifle a few times a second. Where an answer takes more than a
//! second and a half, requests that wait are told so, and new ones do not begin to wait.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{ConnectOptions, PgConnection, postgres::PgConnectOptions};
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;

const EVERY: Duration = Duration::from_millis(200);
/// Without an answer for so long, Postgres counts as away. Counted from the question: a process that had no time to ask has nothing to say.
pub const PATIENCE: Duration = Duration::from_millis(1_500);
/// A question that is not answered in this time is asked again by another connection.
const GIVE_UP: Duration = Duration::from_secs(5);
/// A host's clock that is off by more is worth a warning.
const NOTABLE_SKEW_SECONDS: i64 = 2;

/// What is known about Postgres. Cheap to clone; clones know the same.
#[derive(Clone, Debug)]
pub struct Pulse {
    away: watch::Sender<bool>,
    clock: Clock,
}

impl Pulse {
    /// Assumes the best until [`watch`](Self::watch) knows better; sets `clock`.
    pub fn new(clock: Clock) -> Self {
        Self {
            away: watch::Sender::new(false),
            clock,
        }
    }

    /// Does it leave questions without an answer?
    pub fn is_away(&self) -> bool {
        *self.away.borrow()
    }

    /// Waits until it leaves questions without an answer.
    pub async fn lost(&self) {
        // The sender is ours.
        let _ = self.away.subscribe().wait_for(|away| *away).await;
    }

    /// Asks until `stop`.
    pub async fn watch(self, options: PgConnectOptions, stop: CancellationToken) {
        // It is not worth a line in any log.
        let options = options.disable_statement_logging();
        stop.run_until_cancelled(self.ask_on(&options)).await;
    }

    async fn ask_on(&self, options: &PgConnectOptions) {
        let (mut heard, mut connection, mut skewed) = (Instant::now(), None, false);
        loop {
            let mut question = Box::pin(ask(connection.take(), options));
            let mut answered = timeout(PATIENCE, &mut question).await.ok();
            if answered.is_none() {
                self.note(true);
                answered = timeout(GIVE_UP, &mut question).await.ok();
            }
            match answered {
                Some(Ok((open, time))) => {
                    (heard, connection) = (Instant::now(), Some(open));
                    skewed = self.compare(time, skewed);
                    self.note(false);
                }
                Some(Err(error)) => {
                    tracing::debug!(error.cause = %error, "Postgres was not heard");
                    if heard.elapsed() >= PATIENCE {
                        self.note(true);
                    }
                }
                None => {}
            }
            sleep(EVERY).await;
        }
    }

    fn note(&self, away: bool) {
        let changed = self
            .away
            .send_if_modified(|was| std::mem::replace(was, away) != away);
        match (changed, away) {
            (true, true) => tracing::warn!("Postgres does not answer: requests are refused until it does"),
            (true, false) => tracing::info!("Postgres answers again"),
            (false, _) => {}
        }
    }

    /// Tells once of a clock that is off.
    fn compare(&self, time: DateTime<Utc>, was_skewed: bool) -> bool {
        let ahead = self.clock.follow(time).num_seconds();
        let skewed = ahead.abs() >= NOTABLE_SKEW_SECONDS;
        if skewed && !was_skewed {
            tracing::warn!(
                clock.behind_seconds = ahead,
                "this host's clock and that of Postgres differ; Postgres' is followed"
            );
        }
        skewed
    }
}

async fn ask(
    connection: Option<PgConnection>,
    options: &PgConnectOptions,
) -> Result<(PgConnection, DateTime<Utc>), sqlx::Error> {
    let mut connection = match connection {
        Some(connection) => connection,
        None => options.connect().await?,
    };
    let time = sqlx::query_scalar("select clock_timestamp()")
        .fetch_one(&mut connection)
        .await?;
    Ok((connection, time))
}
