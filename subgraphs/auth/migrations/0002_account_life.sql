-- The whole life of an account: proven addresses, devices, rotating keys, outside providers, the audit log.

alter table users
    alter column email drop not null,            -- null once deleted
    alter column password_hash drop not null,    -- null for those who sign in with an outside provider only, and once deleted
    add column email_verified_at timestamptz,
    add column deleted_at        timestamptz;    -- anonymised; the row stays because orders refer to it

alter table sessions
    add column device_name  text,
    add column address      text,                -- as the router saw it at the last sign-in or refresh
    add column expires_at   timestamptz not null default now() + interval '30 days',
    add column announced_at timestamptz;         -- when Redis was told that it has ended
create index sessions_to_announce on sessions (revoked_at) where revoked_at is not null and announced_at is null;

alter table refresh_tokens
    add column used_from text;                   -- the address that used it
-- Hashes are keyed from here on: tokens of before sign in again.
delete from refresh_tokens;

alter table signing_keys
    alter column private_key drop not null,      -- gone once the key signs no more
    add column activated_at timestamptz,         -- null: the next one, published but not signing yet
    add column replaced_at  timestamptz;         -- published until the tokens it signed have expired
update signing_keys set activated_at = created_at;

-- Keys of hashes, apart from those that sign.
create table secret_keys (
    purpose    text        primary key,
    key        bytea       not null,
    created_at timestamptz not null default now()
);

-- Codes sent by e-mail. There is a row for every address that was asked for, whether or not an account has it: both cost the same time.
create table one_time_codes (
    id            uuid        primary key,
    purpose       text        not null,
    email         text        not null,
    code_hash     bytea       not null,          -- HMAC; the code itself is never stored
    expires_at    timestamptz not null,
    tries         int         not null default 0,
    used_at       timestamptz,
    -- A sign-up that begins once its address is proven.
    password_hash text,
    name          text
);
create index one_time_codes_by_email on one_time_codes (email, purpose);

create table outside_identities (
    provider   text        not null,
    subject    text        not null,
    user_id    uuid        not null references users on delete cascade,
    created_at timestamptz not null default now(),
    primary key (provider, subject)
);
create index outside_identities_by_user on outside_identities (user_id);

create table security_events (
    id         uuid        primary key,
    at         timestamptz not null default now(),
    kind       text        not null,
    user_id    uuid,                             -- whose account; no reference: the log outlives it
    actor_id   uuid,                             -- who did it, where that is somebody else
    session_id uuid,
    address    text,
    detail     text                              -- such as the role granted; never a secret, token or address of mail
);
create index security_events_by_user on security_events (user_id, at desc);
create index security_events_by_time on security_events (at desc);
