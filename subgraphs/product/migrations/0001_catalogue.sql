-- The catalogue: products and their variants. A product's price range and drop flag are kept on the product itself so that listing,
-- filtering and sorting read one table through one index.

CREATE TABLE product (
    id          uuid PRIMARY KEY,
    slug        text NOT NULL UNIQUE,
    name        text NOT NULL,
    description text NOT NULL,
    category    text NOT NULL,
    status      text NOT NULL CHECK (status IN ('DRAFT', 'ACTIVE', 'ARCHIVED')),
    -- The lowest and highest variant price, in minor units; maintained with the variants in one transaction.
    price_min   bigint NOT NULL,
    price_max   bigint NOT NULL CHECK (price_max >= price_min),
    in_drop     boolean NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    search      tsvector NOT NULL GENERATED ALWAYS AS (
        setweight(to_tsvector('english', name), 'A')
        || setweight(to_tsvector('english', category), 'B')
        || setweight(to_tsvector('english', description), 'D')
    ) STORED
);

CREATE INDEX product_search ON product USING gin (search);
CREATE INDEX product_by_name ON product (name, id);
CREATE INDEX product_by_price ON product (price_min, id);
CREATE INDEX product_by_age ON product (created_at DESC, id DESC);
CREATE INDEX product_by_category ON product (category);

CREATE TABLE variant (
    sku            text PRIMARY KEY,
    product_id     uuid NOT NULL REFERENCES product (id) ON DELETE CASCADE,
    position       integer NOT NULL,
    name           text NOT NULL,
    -- [{"name": "Size", "value": "M"}, …] in the order shown to the shopper.
    options        jsonb NOT NULL,
    price          bigint NOT NULL CHECK (price BETWEEN 0 AND 9007199254740991),
    currency       text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    -- A limited drop: on sale from this instant, with a limit per customer.
    drop_starts_at timestamptz,
    drop_limit     integer CHECK (drop_limit > 0),
    CHECK ((drop_starts_at IS NULL) = (drop_limit IS NULL))
);

CREATE INDEX variant_by_product ON variant (product_id, position);
