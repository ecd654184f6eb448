-- What is over can be rolled up: the ledger keeps every entry of a kept job, and one opening balance
-- of each window for the jobs that are gone.
DROP INDEX job_of;
CREATE INDEX job_of ON job (user_key);                        -- then by seq: a history goes by it

DROP INDEX ledger_reserve;
DROP INDEX ledger_settlement;
DROP INDEX ledger_account;
DROP TRIGGER ledger_no_update;
DROP TRIGGER ledger_no_delete;
ALTER TABLE ledger RENAME TO ledger_before;
CREATE TABLE ledger (
    id          INTEGER PRIMARY KEY,
    job_id      TEXT,                             -- NULL where it is of no job, or of many
    kind        TEXT    NOT NULL CHECK (kind IN ('reserve', 'commit', 'refund', 'grant', 'opening')),
    limit_name  TEXT    NOT NULL,
    account_key TEXT    NOT NULL,
    period      INTEGER NOT NULL,
    unit        TEXT    NOT NULL CHECK (unit IN ('gpu_ms', 'jobs')),
    amount      INTEGER NOT NULL CHECK (amount >= 0 OR kind = 'grant'),
    at_ms       INTEGER NOT NULL,
    CHECK ((job_id IS NULL) = (kind IN ('grant', 'opening'))),
    FOREIGN KEY (limit_name, account_key, period)
        REFERENCES account (limit_name, account_key, period)
) STRICT;
INSERT INTO ledger
    SELECT id, job_id, kind, limit_name, account_key, period, unit, amount, at_ms
    FROM ledger_before;
DROP TABLE ledger_before;
CREATE UNIQUE INDEX ledger_reserve ON ledger (job_id, limit_name) WHERE kind = 'reserve';
CREATE UNIQUE INDEX ledger_settlement ON ledger (job_id, limit_name)
    WHERE kind IN ('commit', 'refund');
CREATE UNIQUE INDEX ledger_opening ON ledger (limit_name, account_key, period)
    WHERE kind = 'opening';
CREATE INDEX ledger_account ON ledger (limit_name, account_key, period);
-- Append-only as long as there is the job, and for what was granted in the newest window.
CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger WHEN OLD.kind <> 'opening' BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;
CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger
WHEN EXISTS (SELECT 1 FROM job WHERE id = OLD.job_id) BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;

-- The newest runs of each kind are kept.
CREATE INDEX run_by_mode ON run (device, profile, pin, mode, recorded_at_ms);

-- A file is looked for by its name, to see whether anybody needs it.
CREATE INDEX artifact_path ON artifact (path);
