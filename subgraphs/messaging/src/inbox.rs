//! The inbox: the ids of the events whose effects a service has committed.

use fondaco_contracts::EventId;
use sqlx::PgConnection;

/// The table, for the migrations of a service that consumes events.
pub const DDL: &str = "\
create table inbox (
    consumer    text        not null,
    event_id    uuid        not null,
    received_at timestamptz not null default now(),
    primary key (consumer, event_id)
);
";

/// Records in the effect's transaction that `consumer` has seen `event`; false where it had before. While another
/// transaction is handling the same event, this waits for its outcome.
pub async fn record(
    connection: &mut PgConnection,
    consumer: &str,
    event: EventId,
) -> Result<bool, sqlx::Error> {
    let inserted =
        sqlx::query("insert into inbox (consumer, event_id) values ($1, $2) on conflict do nothing")
            .bind(consumer)
            .bind(event.as_uuid())
            .execute(connection)
            .await?;
    Ok(inserted.rows_affected() == 1)
}
