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
