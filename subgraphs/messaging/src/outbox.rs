//! The outbox: events as rows of the transaction that made them true.

use fondaco_contracts::Event;
use sqlx::PgConnection;

/// The table, for the migrations of a service that writes events.
pub const DDL: &str = "\
create table outbox (
    position     bigint generated always as identity primary key,
    id           uuid        not null unique,
    aggregate_id text        not null,
    name         text        not null,
    payload      jsonb       not null,
    occurred_at  timestamptz not null,
    published_at timestamptz
);
create index outbox_unpublished on outbox (position) where published_at is null;
";

/// Records `event` in the caller's transaction. Two events of one aggregate keep their order when the transactions that write them
/// lock the aggregate's row first.
pub async fn append(connection: &mut PgConnection, event: &Event) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into outbox (id, aggregate_id, name, payload, occurred_at) values ($1, $2, $3, $4, $5)",
    )
    .bind(event.id.as_uuid())
    .bind(&event.aggregate_id)
    .bind(&event.name)
    .bind(&event.payload)
    .bind(event.occurred_at)
    .execute(connection)
    .await
    .map(drop)
}
