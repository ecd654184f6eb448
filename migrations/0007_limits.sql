-- Every limit counts on one ledger: an account is a limit and whose it is (a person, all guests, a
-- network, a place), an amount is in the unit of its limit. A job knows the place it was asked from.
ALTER TABLE job ADD COLUMN place TEXT NOT NULL DEFAULT '';    -- empty: accepted before, or from none

DROP INDEX ledger_reserve;
DROP INDEX ledger_settlement;
DROP INDEX ledger_account;
DROP TRIGGER ledger_no_update;
DROP TRIGGER ledger_no_delete;
ALTER TABLE ledger RENAME TO ledger_before;
ALTER TABLE account RENAME TO account_before;
ALTER TABLE carried RENAME TO carried_before;

-- A window of an account; it begins with its first use, or with its day. The sums are the ledger's,
-- kept for speed.
CREATE TABLE account (
    limit_name  TEXT    NOT NULL,
    account_key TEXT    NOT NULL,
    period      INTEGER NOT NULL CHECK (period > 0),
    began_at_ms INTEGER,                          -- NULL before the first use
    granted     INTEGER NOT NULL,                 -- given by operators, beside the allowance
    reserved    INTEGER NOT NULL CHECK (reserved >= 0),
    used        INTEGER NOT NULL CHECK (used >= 0),
    PRIMARY KEY (limit_name, account_key, period)
) STRICT, WITHOUT ROWID;
INSERT INTO account
    SELECT CASE user_key WHEN 'studio:guests' THEN 'guests' ELSE 'own' END,
        user_key, period, began_at_ms, granted_ms, reserved_ms, used_ms
    FROM account_before;

-- Append-only. A job has one reserve in every limit that applies to it, then exactly one commit or
-- refund of the same account and period in each.
CREATE TABLE ledger (
    id          INTEGER PRIMARY KEY,
    job_id      TEXT,                             -- NULL for grants; outlives the job's row
    kind        TEXT    NOT NULL CHECK (kind IN ('reserve', 'commit', 'refund', 'grant')),
    limit_name  TEXT    NOT NULL,
    account_key TEXT    NOT NULL,
    period      INTEGER NOT NULL,
    unit        TEXT    NOT NULL CHECK (unit IN ('gpu_ms', 'jobs')),
    amount      INTEGER NOT NULL CHECK (amount >= 0 OR kind = 'grant'),
    at_ms       INTEGER NOT NULL,
    CHECK ((job_id IS NULL) = (kind = 'grant')),
    FOREIGN KEY (limit_name, account_key, period)
        REFERENCES account (limit_name, account_key, period)
) STRICT;
INSERT INTO ledger
    SELECT id, job_id, kind, CASE user_key WHEN 'studio:guests' THEN 'guests' ELSE 'own' END,
        user_key, period, 'gpu_ms', amount_ms, at_ms
    FROM ledger_before;
CREATE UNIQUE INDEX ledger_reserve ON ledger (job_id, limit_name) WHERE kind = 'reserve';
CREATE UNIQUE INDEX ledger_settlement ON ledger (job_id, limit_name)
    WHERE kind IN ('commit', 'refund');
CREATE INDEX ledger_account ON ledger (limit_name, account_key, period);

-- What others had spent while they belonged to the same account, for who left it; or a place under
-- its earlier name.
CREATE TABLE carried (
    limit_name  TEXT    NOT NULL,
    user_key    TEXT    NOT NULL,
    source_key  TEXT    NOT NULL,                 -- whose window it was spent in
    spent       INTEGER NOT NULL CHECK (spent >= 0),
    until_ms    INTEGER NOT NULL,                 -- epoch ms
    PRIMARY KEY (limit_name, user_key, source_key)
) STRICT, WITHOUT ROWID;
INSERT INTO carried SELECT 'own', user_key, source_key, spent_ms, until_ms FROM carried_before;

-- What an account is called in the ledger whose owner is to be forgotten with its window: the row
-- goes, the entries stay and name nobody.
CREATE TABLE pseudonym (
    limit_name  TEXT    NOT NULL,
    subject     TEXT    NOT NULL,                 -- the keyed hash of a network
    account_key TEXT    NOT NULL UNIQUE,
    PRIMARY KEY (limit_name, subject)
) STRICT, WITHOUT ROWID;

-- A window that is over is not in force, and what is forgotten has no pseudonym: only the newest
-- period of a network is taken over.
CREATE TEMP TABLE network_kept AS
    SELECT job_id, network, period, amount_ms FROM network_use AS kept
    WHERE period = (SELECT max(period) FROM network_use WHERE network = kept.network);
INSERT INTO pseudonym
    SELECT 'network', network, lower(hex(randomblob(16)))
    FROM network_kept GROUP BY network;
INSERT INTO account
    SELECT 'network', pseudonym.account_key, kept.period, guests.began_at_ms, 0,
        sum(CASE WHEN done.id IS NULL THEN kept.amount_ms ELSE 0 END),
        sum(CASE WHEN done.id IS NULL THEN 0 ELSE kept.amount_ms END)
    FROM network_kept AS kept
    JOIN pseudonym ON pseudonym.subject = kept.network
    JOIN ledger AS held ON held.job_id = kept.job_id AND held.kind = 'reserve'
    JOIN account AS guests ON guests.limit_name = held.limit_name
        AND guests.account_key = held.account_key AND guests.period = held.period
    LEFT JOIN ledger AS done ON done.job_id = kept.job_id AND done.kind IN ('commit', 'refund')
    GROUP BY pseudonym.account_key, kept.period;
INSERT INTO ledger (job_id, kind, limit_name, account_key, period, unit, amount, at_ms)
    SELECT kept.job_id, entry.kind, 'network', pseudonym.account_key, kept.period, 'gpu_ms',
        entry.amount, entry.at_ms
    FROM network_kept AS kept
    JOIN pseudonym ON pseudonym.subject = kept.network
    JOIN ledger AS entry ON entry.job_id = kept.job_id
    ORDER BY entry.id;
DROP TABLE network_kept;
DROP TABLE network_use;

CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;
CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;
DROP TABLE ledger_before;
DROP TABLE account_before;
DROP TABLE carried_before;
