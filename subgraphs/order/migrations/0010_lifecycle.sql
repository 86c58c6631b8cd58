-- Drafts, fulfilment, refunds, wishlists, and the history of every order.

alter table orders drop constraint orders_status_check;
alter table orders add constraint orders_status_check
    check (status in ('DRAFT', 'PENDING', 'CONFIRMED', 'FULFILLED', 'CANCELLED', 'FAILED', 'REFUNDED'));

-- The name of its hold at inventory. A draft gets a new one with every attempt to buy it.
alter table orders add column reservation_id uuid;
update orders set reservation_id = id;
alter table orders alter column reservation_id set not null;
-- A draft holds nothing.
alter table orders alter column held_until drop not null;
alter table orders add constraint placed_orders_held_stock check (held_until is not null or status in ('DRAFT', 'CANCELLED'));
-- What was granted back so far; the payment service knows how much of it has been paid.
alter table orders add column refunded_amount bigint not null default 0;
alter table orders add constraint refunds_within_the_total check (refunded_amount between 0 and amount);
alter table orders add column tracking_code text;
-- Its lines leave the wishlist when it is paid.
alter table orders add column from_wishlist boolean not null default false;
create index orders_of_customer_by_status on orders (customer_id, status, id desc);

alter table order_line add column refunded_quantity integer not null default 0;
alter table order_line add constraint refunds_within_the_line check (refunded_quantity between 0 and quantity);

-- ORDERED: the answer follows from the order, and is not final while it is PENDING. DONE: the operation on the order was carried out.
alter table idempotency_record drop constraint idempotency_record_outcome_check;
alter table idempotency_record add constraint idempotency_record_outcome_check check (outcome in ('ORDERED', 'DONE', 'REJECTED'));
alter table idempotency_record add column reservation_id uuid;

create table order_transition (
    order_id uuid not null references orders (id),
    -- The order's version after it.
    version integer not null,
    event text not null,
    from_status text,
    to_status text not null,
    reason text,
    occurred_at timestamptz not null default now(),
    primary key (order_id, version)
);

create table refund (
    id uuid primary key,
    order_id uuid not null references orders (id),
    amount bigint not null check (amount > 0),
    reason text,
    -- Granted with the order's transition; paid back when payment says so.
    status text not null check (status in ('PENDING', 'PAID')),
    customer_id uuid not null,
    idempotency_key text not null,
    created_at timestamptz not null default now(),
    unique (customer_id, idempotency_key)
);
create index refund_of_order on refund (order_id);

create table refund_line (
    refund_id uuid not null references refund (id),
    sku text not null,
    quantity integer not null check (quantity > 0),
    primary key (refund_id, sku)
);

create table wishlist_item (
    customer_id uuid not null,
    sku text not null,
    quantity integer not null check (quantity > 0),
    added_at timestamptz not null default now(),
    primary key (customer_id, sku)
);
