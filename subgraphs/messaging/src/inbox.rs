//! The inbox: the ids of the events whose effects a service has committed.

use std::{collections::HashSet, time::Duration};

use fondaco_contracts::EventId;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::chore::Left;

/// The table, for the migrations of a service that consumes events.
pub const DDL: &str = "\
create table inbox (
    consumer    text        not null,
    event_id    uuid        not null,
    received_at timestamptz not null default now(),
    primary key (consumer, event_id)
);
";

/// Removes the oldest rows of `consumer` if they were received longer ago than `retention`, a thousand at most. Ids sort by
/// the time of their event (UUIDv7), so that looking at the oldest is enough. An event published again after its row is gone
/// would act again.
pub(crate) async fn prune(
    connection: &mut PgConnection,
    consumer: &str,
    retention: Duration,
) -> Result<Left, sqlx::Error> {
    let pruned = sqlx::query(
        "with oldest as (
             select event_id, received_at from inbox where consumer = $1 order by event_id limit $2)
         delete from inbox using oldest
         where inbox.consumer = $1 and inbox.event_id = oldest.event_id
           and oldest.received_at < now() - make_interval(secs => $3)",
    )
    .bind(consumer)
    .bind(Left::LIMIT)
    .bind(retention.as_secs_f64())
    .execute(connection)
    .await?;
    Ok(Left::after(pruned.rows_affected()))
}

/// Records in the effects' transaction that `consumer` has seen `events`; gives those it had not seen before. Those that were parked are not any
/// longer. While another transaction
/// is handling one of them, this waits for its outcome.
pub async fn record(
    connection: &mut PgConnection,
    consumer: &str,
    events: &[EventId],
) -> Result<HashSet<EventId>, sqlx::Error> {
    let ids: Vec<Uuid> = events.iter().map(EventId::as_uuid).collect();
    let new: Vec<Uuid> = sqlx::query_scalar(
        "with resolved as (delete from dead_letter where consumer = $1 and event_id = any($2))
         insert into inbox (consumer, event_id) select $1, unnest($2::uuid[])
         on conflict do nothing returning event_id",
    )
    .bind(consumer)
    .bind(ids)
    .fetch_all(connection)
    .await?;
    Ok(new.into_iter().map(EventId::from).collect())
}
