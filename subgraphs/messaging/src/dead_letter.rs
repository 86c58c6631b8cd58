//! Dead letters: events that a consumer could not handle, parked in its database with the reason, until somebody has them replayed.
//!
//! They are rows of the consumer's own database and not of Redis, because they must outlive it. A letter is gone as soon as its event is
//! handled, whether it was replayed or delivered once more: in the transaction of the effect.

use chrono::{DateTime, Utc};
use fondaco_contracts::Event;
use sqlx::{FromRow, PgPool};

/// The table, for the migrations of a service that consumes events.
pub const DDL: &str = "\
create table dead_letter (
    id          bigint generated always as identity primary key,
    consumer    text        not null,
    stream      text        not null,
    -- Of the stream.
    entry       text        not null,
    -- Null where the entry was no event.
    event_id    uuid,
    name        text,
    body        text        not null,
    reason      text        not null,
    attempts    integer     not null,
    parked_at   timestamptz not null default now(),
    -- Set while somebody wants it to be handled again.
    replay_at   timestamptz
);
create unique index dead_letter_of_event on dead_letter (consumer, event_id) where event_id is not null;
create unique index dead_letter_of_entry on dead_letter (consumer, stream, entry) where event_id is null;
";

/// Letters that are replayed at a time.
const AT_ONCE: i64 = 64;

/// A parked event.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct DeadLetter {
    /// Its number, in its database.
    pub id: i64,
    /// Who could not handle it.
    pub consumer: String,
    /// The stream that it came by.
    pub stream: String,
    /// The event's name; none where the entry was no event.
    pub name: Option<String>,
    /// The entry as it came.
    pub body: String,
    /// Why it was parked.
    pub reason: String,
    /// How often it was tried.
    pub attempts: i32,
    /// When it was parked last.
    pub parked_at: DateTime<Utc>,
    /// Since when it is to be replayed.
    pub replay_at: Option<DateTime<Utc>>,
}

/// All letters of a database, the oldest first.
pub async fn list(pool: &PgPool) -> Result<Vec<DeadLetter>, sqlx::Error> {
    sqlx::query_as(
        "select id, consumer, stream, name, body, reason, attempts, parked_at, replay_at from dead_letter order by id",
    )
    .fetch_all(pool)
    .await
}

/// Has the consumers handle letters again: those named, or all. How many that are.
pub async fn replay(pool: &PgPool, ids: Option<&[i64]>) -> Result<u64, sqlx::Error> {
    let marked =
        sqlx::query("update dead_letter set replay_at = now() where $1::bigint[] is null or id = any($1)")
            .bind(ids)
            .execute(pool)
            .await?;
    Ok(marked.rows_affected())
}

/// An entry that is given up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grave<'a> {
    pub consumer: &'a str,
    pub stream: &'a str,
    pub entry: &'a str,
    pub event: Option<&'a Event>,
    pub body: &'a str,
    pub reason: &'a str,
    pub attempts: u32,
}

/// Parks an entry; one that is parked already counts its attempts on.
pub(crate) async fn park(pool: &PgPool, grave: &Grave<'_>) -> Result<(), sqlx::Error> {
    const BY_EVENT: &str = "insert into dead_letter (consumer, stream, entry, event_id, name, body, reason, attempts)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict (consumer, event_id) where event_id is not null do update set
            attempts = dead_letter.attempts + excluded.attempts, reason = excluded.reason, parked_at = now(), replay_at = null";
    const BY_ENTRY: &str = "insert into dead_letter (consumer, stream, entry, event_id, name, body, reason, attempts)
        values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (consumer, stream, entry) where event_id is null do nothing";
    let statement = if grave.event.is_some() { BY_EVENT } else { BY_ENTRY };
    sqlx::query(statement)
        .bind(grave.consumer)
        .bind(grave.stream)
        .bind(grave.entry)
        .bind(grave.event.map(|event| event.id.as_uuid()))
        .bind(grave.event.map(|event| event.name.as_str()))
        .bind(without_nul(grave.body))
        .bind(without_nul(grave.reason))
        .bind(i32::try_from(grave.attempts).unwrap_or(i32::MAX))
        .execute(pool)
        .await
        .map(drop)
}

/// Letters of `consumer` that wait to be replayed.
pub(crate) async fn to_replay(pool: &PgPool, consumer: &str) -> Result<Vec<DeadLetter>, sqlx::Error> {
    sqlx::query_as(
        "select id, consumer, stream, name, body, reason, attempts, parked_at, replay_at from dead_letter
         where consumer = $1 and replay_at is not null order by id limit $2",
    )
    .bind(consumer)
    .bind(AT_ONCE)
    .fetch_all(pool)
    .await
}

/// Notes that replaying a letter failed.
pub(crate) async fn failed_again(pool: &PgPool, id: i64, reason: &str) -> Result<(), sqlx::Error> {
    sqlx::query("update dead_letter set attempts = attempts + 1, reason = $2, parked_at = now(), replay_at = null where id = $1")
        .bind(id)
        .bind(without_nul(reason))
        .execute(pool)
        .await
        .map(drop)
}

/// Postgres has no text with a zero in it.
fn without_nul(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
