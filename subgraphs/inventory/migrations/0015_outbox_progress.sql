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
