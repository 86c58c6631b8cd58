-- One row per idempotency key of a customer, written before any effect. It names the order the key stands for, so that a repeated or
-- resumed purchase uses the same order id, which is the idempotency key at inventory and at payment.
create table idempotency_record (
    customer_id uuid not null,
    idempotency_key text not null,
    -- SHA-256 over the operation and its parameters: the same key with others is refused.
    parameters bytea not null,
    order_id uuid not null,
    -- Null while under way. ORDERED: the answer follows from the order. REJECTED: the answer is in `rejection`.
    outcome text check (outcome in ('ORDERED', 'REJECTED')),
    rejection jsonb check ((rejection is not null) = (outcome is not distinct from 'REJECTED')),
    -- While this lies ahead somebody is working on it; afterwards a repeated call may take it over.
    leased_until timestamptz not null,
    created_at timestamptz not null default now(),
    primary key (customer_id, idempotency_key)
);

create table orders (
    -- UUIDv7: sorts by the time of the purchase.
    id uuid primary key,
    customer_id uuid not null,
    status text not null check (status in ('PENDING', 'CONFIRMED', 'CANCELLED', 'FAILED')),
    -- Counts transitions; each is an update conditional on status and version.
    version integer not null default 1,
    amount bigint not null check (amount between 0 and 9007199254740991),
    currency text not null,
    -- Why it failed, for the replayed answer.
    failure text,
    -- The hold at inventory lapses here: a payment found captured later must get its stock again or be refunded.
    held_until timestamptz not null,
    -- Money may be held for a cancelled order until payment has confirmed the refund.
    refund_due boolean not null default false,
    -- When the settlement sweeper looks at it next; null when nothing is open.
    settle_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint open_orders_are_swept check (settle_at is not null or (status <> 'PENDING' and not refund_due))
);

create index orders_of_customer on orders (customer_id, id desc);
create index orders_to_settle on orders (settle_at) where settle_at is not null;

create table order_line (
    order_id uuid not null references orders (id),
    position smallint not null,
    sku text not null,
    name text not null,
    quantity integer not null check (quantity > 0),
    unit_amount bigint not null check (unit_amount >= 0),
    primary key (order_id, position)
);
