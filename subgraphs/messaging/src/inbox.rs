//! The inbox: the ids of the events whose effects a service has committed.

use std::collections::HashSet;

use fondaco_contracts::EventId;
use sqlx::PgConnection;
use uuid::Uuid;

/// The table, for the migrations of a service that consumes events.
pub const DDL: &str = "\
create table inbox (
    consumer    text        not null,
    event_id    uuid        not null,
    received_at timestamptz not null default now(),
    primary key (consumer, event_id)
);
";

/// Records in the effects' transaction that `consumer` has seen `events`; gives those it had not seen before. While another transaction
/// is handling one of them, this waits for its outcome.
pub async fn record(
    connection: &mut PgConnection,
    consumer: &str,
    events: &[EventId],
) -> Result<HashSet<EventId>, sqlx::Error> {
    let ids: Vec<Uuid> = events.iter().map(EventId::as_uuid).collect();
    let new: Vec<Uuid> = sqlx::query_scalar(
        "insert into inbox (consumer, event_id) select $1, unnest($2::uuid[])
         on conflict do nothing returning event_id",
    )
    .bind(consumer)
    .bind(ids)
    .fetch_all(connection)
    .await?;
    Ok(new.into_iter().map(EventId::from).collect())
}
