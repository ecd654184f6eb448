-- A person is all keys that were joined: what keeps or charges one of them reaches the others.

-- The key that the operator named; the other rows of the same block came by joining.
ALTER TABLE blocked ADD COLUMN origin TEXT NOT NULL DEFAULT '';
UPDATE blocked SET origin = user_key;
INSERT OR IGNORE INTO blocked (user_key, reason, created_at, origin)
    SELECT identity.account_key, reason, blocked.created_at, origin
    FROM blocked JOIN identity ON identity.user_key = blocked.user_key;
INSERT OR IGNORE INTO blocked (user_key, reason, created_at, origin)
    SELECT identity.user_key, reason, blocked.created_at, origin
    FROM blocked JOIN identity ON identity.account_key = blocked.user_key;

-- What others had spent while they belonged to the same account, for who left it: counts until the
-- window in which it was spent ends.
CREATE TABLE carried (
    user_key    TEXT    NOT NULL,
    source_key  TEXT    NOT NULL,               -- whose window it was spent in
    spent_ms    INTEGER NOT NULL CHECK (spent_ms >= 0),
    until_ms    INTEGER NOT NULL,               -- epoch ms
    PRIMARY KEY (user_key, source_key)
) STRICT, WITHOUT ROWID;

-- Codes that were typed and did not fit.
CREATE TABLE link_try (
    id          INTEGER PRIMARY KEY,
    user_key    TEXT    NOT NULL,
    at_ms       INTEGER NOT NULL
) STRICT;

-- What somebody has to be told in private, until a front told them.
CREATE TABLE notice (
    id          INTEGER PRIMARY KEY,
    user_key    TEXT    NOT NULL,
    code        TEXT    NOT NULL,               -- names the sentence
    data        TEXT    NOT NULL,               -- JSON, fills it
    created_at  INTEGER NOT NULL                -- epoch ms
) STRICT;
