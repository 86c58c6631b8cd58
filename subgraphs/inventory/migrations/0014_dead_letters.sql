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
