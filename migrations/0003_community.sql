-- People and places: who may do what, who is who on another platform, what fronts remember.

-- The rules of a guild, group or chat; absent means no rules.
CREATE TABLE policy (
    place       TEXT    NOT NULL PRIMARY KEY,   -- "discord:<guild>", "telegram:<chat>"
    rules       TEXT    NOT NULL,               -- JSON of core.policy.Policy
    updated_at  INTEGER NOT NULL                -- epoch ms
) STRICT, WITHOUT ROWID;

CREATE TABLE blocked (
    user_key    TEXT    NOT NULL PRIMARY KEY,
    reason      TEXT    NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What operators did; append-only.
CREATE TABLE audit (
    id          INTEGER PRIMARY KEY,
    at          INTEGER NOT NULL,
    actor       TEXT    NOT NULL,               -- requester key
    verb        TEXT    NOT NULL,
    target      TEXT    NOT NULL,
    detail      TEXT    NOT NULL
) STRICT;

-- A second platform of the same person: jobs and quota belong to account_key.
CREATE TABLE identity (
    user_key    TEXT    NOT NULL PRIMARY KEY,
    account_key TEXT    NOT NULL CHECK (account_key <> user_key),
    created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX identity_account ON identity (account_key);

-- One-time codes of /link; only a digest is kept.
CREATE TABLE link_code (
    digest      TEXT    NOT NULL PRIMARY KEY,
    user_key    TEXT    NOT NULL,
    expires_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Small things a front must not forget: form drafts, the hash of synced commands.
CREATE TABLE memory (
    front       TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    value       TEXT    NOT NULL,               -- JSON
    updated_at  INTEGER NOT NULL,
    PRIMARY KEY (front, name)
) STRICT, WITHOUT ROWID;
