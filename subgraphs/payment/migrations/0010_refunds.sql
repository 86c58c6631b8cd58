-- Refunds in parts, and the ledger: an entry for every movement of money, written with the change that it books.

alter table charge drop constraint charge_status_check;
alter table charge add constraint charge_status_check
    check (status in ('PENDING', 'UNKNOWN', 'CAPTURED', 'DECLINED', 'PARTIALLY_REFUNDED', 'REFUNDED', 'CALLED_OFF'));
alter table charge add column refunded_amount bigint not null default 0;
alter table charge add constraint refunds_within_the_charge check (refunded_amount between 0 and coalesce(amount, 0));

-- Written before the provider is asked: the id is the idempotency key there. Together never more than was captured.
create table refund (
    id uuid primary key,
    order_id uuid not null references charge (order_id),
    amount bigint not null check (amount > 0),
    status text not null check (status in ('PENDING', 'PAID')),
    created_at timestamptz not null default now()
);
create index refund_of_order on refund (order_id);

create table ledger_entry (
    position bigint generated always as identity primary key,
    order_id uuid not null,
    kind text not null check (kind in ('CAPTURED', 'REFUNDED')),
    -- In minor units of the charge's currency; what was refunded is positive too.
    amount bigint not null check (amount >= 0),
    -- The charge or the refund that it books, once.
    reference uuid not null,
    recorded_at timestamptz not null default now(),
    unique (kind, reference)
);
create index ledger_of_order on ledger_entry (order_id);

-- What there was before the ledger.
insert into ledger_entry (order_id, kind, amount, reference)
    select order_id, 'CAPTURED', amount, id from charge where status in ('CAPTURED', 'REFUNDED');
insert into refund (id, order_id, amount, status)
    select order_id, order_id, amount, 'PAID' from charge where status = 'REFUNDED' and amount > 0;
insert into ledger_entry (order_id, kind, amount, reference)
    select order_id, 'REFUNDED', amount, id from refund;
update charge set refunded_amount = amount where status = 'REFUNDED';
