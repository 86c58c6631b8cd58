-- One row per order, written before the provider is called: the order id is the idempotency key, here and at the provider.
create table charge (
    order_id uuid primary key,
    id uuid not null unique,
    -- PENDING: written, outcome not stored. UNKNOWN: the provider did not answer in time.
    -- CALLED_OFF: the order was given up before anybody asked for a charge; a charge that arrives later is declined.
    status text not null check (status in ('PENDING', 'UNKNOWN', 'CAPTURED', 'DECLINED', 'REFUNDED', 'CALLED_OFF')),
    customer_id uuid,
    amount bigint check (amount between 0 and 9007199254740991),
    currency text,
    -- SHA-256 over what was asked for: a repeated charge with other parameters is refused.
    parameters bytea,
    -- The customer's means of payment at the provider, needed to repeat the request while its outcome is open, and wiped afterwards.
    token text,
    decline_code text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint charges_name_what_is_paid check (
        status = 'CALLED_OFF' or (customer_id is not null and amount is not null and currency is not null and parameters is not null)
    ),
    constraint open_charges_keep_their_token check ((token is not null) = (status in ('PENDING', 'UNKNOWN'))),
    constraint declined_charges_say_why check ((decline_code is not null) = (status = 'DECLINED'))
);
