-- Stock: the truth about what exists, what is sold and what is held. Redis admits buyers quickly; these tables decide.

-- Names this database in Redis keys: counters of another (dropped, restored) database are never taken for this one's.
CREATE TABLE epoch (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    epoch    uuid NOT NULL DEFAULT gen_random_uuid()
);
INSERT INTO epoch DEFAULT VALUES;

CREATE TABLE stock (
    sku   text PRIMARY KEY,
    total bigint NOT NULL CHECK (total BETWEEN 0 AND 2147483647),
    sold  bigint NOT NULL DEFAULT 0 CHECK (sold >= 0),
    -- The sum of the lines of reservations that are HELD.
    held  bigint NOT NULL DEFAULT 0 CHECK (held >= 0),
    -- Nothing is ever sold or promised twice.
    CONSTRAINT stock_not_oversold CHECK (sold + held <= total)
) WITH (fillfactor = 50);

CREATE TABLE reservation (
    id          uuid PRIMARY KEY,
    customer_id uuid NOT NULL,
    -- A hash of what was asked for: the same id with other parameters is refused.
    parameters  text NOT NULL,
    status      text NOT NULL CHECK (status IN ('HELD', 'CONFIRMED', 'RELEASED', 'EXPIRED')),
    expires_at  timestamptz NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX reservation_open ON reservation (expires_at) WHERE status = 'HELD';

CREATE TABLE reservation_line (
    reservation_id uuid NOT NULL REFERENCES reservation (id) ON DELETE CASCADE,
    sku            text NOT NULL REFERENCES stock (sku),
    quantity       bigint NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (reservation_id, sku)
);

-- What merchants did to totals; the key makes a repeated request one adjustment.
CREATE TABLE adjustment (
    idempotency_key text PRIMARY KEY,
    actor           uuid NOT NULL,
    sku             text NOT NULL,
    delta           bigint NOT NULL,
    reason          text NOT NULL,
    -- The answer, for repeats.
    total           bigint NOT NULL,
    sold            bigint NOT NULL,
    held            bigint NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now()
);
