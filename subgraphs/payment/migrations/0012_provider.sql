-- What an order's payment is called at the provider: written before any money can move, so that it is asked about and never made twice.
create table provider_reference (
    order_id uuid primary key,
    reference text not null,
    created_at timestamptz not null default now()
);

-- Webhooks that were acted on; providers deliver each at least once.
create table webhook (
    id text primary key,
    received_at timestamptz not null default now()
);
create index webhook_by_age on webhook (received_at);
