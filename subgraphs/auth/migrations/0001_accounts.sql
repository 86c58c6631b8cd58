-- Accounts, the keys that sign access tokens, sessions (one a device) and their refresh tokens.

create table users (
    id            uuid        primary key,
    email         text        not null unique,  -- normalised: trimmed, lower case
    name          text,
    password_hash text        not null,         -- PHC string of Argon2id
    roles         text[]      not null default '{customer}',
    scopes        text[]      not null default '{}',
    created_at    timestamptz not null default now()
);

create table signing_keys (
    kid         text        primary key,
    private_key bytea       not null,           -- PKCS#8
    public_key  bytea       not null,           -- 32 bytes
    created_at  timestamptz not null default now(),
    retired_at  timestamptz
);

create table sessions (
    id           uuid        primary key,
    user_id      uuid        not null references users on delete cascade,
    created_at   timestamptz not null default now(),
    last_seen_at timestamptz not null default now(),
    revoked_at   timestamptz
);
create index sessions_by_user on sessions (user_id);

create table refresh_tokens (
    token_hash bytea       primary key,         -- SHA-256; the token itself is never stored
    session_id uuid        not null references sessions on delete cascade,
    issued_at  timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at    timestamptz
);
create index refresh_tokens_by_session on refresh_tokens (session_id);
