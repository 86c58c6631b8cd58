//! The outbox: events as rows of the transaction that made them true.

use std::time::Duration;

use fondaco_contracts::Event;
use sqlx::PgConnection;

use crate::chore::Left;

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

/// What the relay notes, for the migrations of a service that writes events; after [`DDL`].
pub const PROGRESS_DDL: &str = "\
-- The relay numbers the batches it publishes, and notes up to which of them each consumer has handled everything.
alter table outbox add column batch bigint;
create table outbox_relay (
    only_row boolean primary key default true check (only_row),
    batch    bigint  not null default 0
);
insert into outbox_relay default values;
create table outbox_progress (
    consumer text        primary key,
    batch    bigint      not null,
    noted_at timestamptz not null default now()
);
";

/// Removes the oldest rows if they were published longer ago than `retention` and every consumer has handled them, a thousand at most. Rows
/// are published in the order of their positions, so that looking at the oldest is enough.
pub(crate) async fn prune(connection: &mut PgConnection, retention: Duration) -> Result<Left, sqlx::Error> {
    let pruned = sqlx::query(
        "with oldest as (select position, published_at, batch from outbox order by position limit $1),
            handled as (select coalesce(min(batch), 0) as batch from outbox_progress)
         delete from outbox using oldest, handled
         where outbox.position = oldest.position and oldest.published_at < now() - make_interval(secs => $2)
            and (oldest.batch is null or oldest.batch <= handled.batch)",
    )
    .bind(Left::LIMIT)
    .bind(retention.as_secs_f64())
    .execute(connection)
    .await?;
    Ok(Left::after(pruned.rows_affected()))
}

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
