-- A version of the graph. Numbers have no gaps: a publisher takes the one after that which it was checked against, and whoever is second
-- starts again from the first one's.
create table fondaco_registry.version (
    number bigint primary key check (number > 0),
    published_at timestamptz not null,
    publisher text not null,
    -- Why it was published though its check failed.
    forced_because text,
    summary jsonb not null,
    changes jsonb not null,
    supergraph text not null
);

-- Most versions change one subgraph: the schemas of the others are kept once.
create table fondaco_registry.schema (
    -- SHA-256 of the text.
    digest bytea primary key check (length(digest) = 32),
    sdl text not null
);

create table fondaco_registry.subgraph (
    version bigint not null references fondaco_registry.version (number),
    name text not null,
    url text not null,
    digest bytea not null references fondaco_registry.schema (digest),
    primary key (version, name)
);
