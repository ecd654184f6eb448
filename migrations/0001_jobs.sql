-- Jobs, what they cost, whose turn it is, and what is still owed to people.
-- Times are epoch milliseconds, costs GPU-milliseconds. Rows change only through core.storage.

-- One request. `rank` orders the line and is set exactly while the job waits, `token` owns the
-- running attempt and is set exactly while it runs: the partial indexes below need no literals.
CREATE TABLE job (
    seq              INTEGER PRIMARY KEY,         -- order of acceptance
    id               TEXT    NOT NULL UNIQUE,
    user_key         TEXT    NOT NULL,            -- the account that pays
    idem_key         TEXT    NOT NULL,
    state            TEXT    NOT NULL CHECK (state IN
        ('held', 'queued', 'running', 'succeeded', 'failed', 'cancelled', 'expired')),
    request          TEXT    NOT NULL CHECK (json_valid(request)),
    reply_platform   TEXT    NOT NULL,
    reply_address    TEXT    NOT NULL CHECK (json_valid(reply_address)),
    estimate_ms      INTEGER NOT NULL CHECK (estimate_ms >= 0),
    spread_ms        INTEGER NOT NULL CHECK (spread_ms >= 0),     -- p95 less the estimate
    cost             INTEGER NOT NULL CHECK (cost >= 0),          -- estimate over weight
    tag              INTEGER NOT NULL,            -- fair start; provisional while held
    rank             INTEGER,                     -- tag, less what waiting earned
    above_limit      INTEGER NOT NULL CHECK (above_limit IN (0, 1)),  -- nobody else waited
    attempt          INTEGER NOT NULL CHECK (attempt >= 0),
    token            TEXT,
    lease_until_ms   INTEGER,
    created_at_ms    INTEGER NOT NULL,
    started_at_ms    INTEGER,                     -- of the newest attempt
    finished_at_ms   INTEGER,
    charged_ms       INTEGER CHECK (charged_ms >= 0),
    failure_code     TEXT,
    failure_data     TEXT CHECK (failure_data IS NULL OR json_valid(failure_data)),
    UNIQUE (user_key, idem_key),
    CHECK ((rank IS NOT NULL) = (state IN ('held', 'queued'))),
    CHECK ((token IS NOT NULL) = (state = 'running')),
    CHECK ((lease_until_ms IS NOT NULL) = (state = 'running')),
    CHECK ((finished_at_ms IS NOT NULL) = (state IN ('succeeded', 'failed', 'cancelled', 'expired'))),
    CHECK ((charged_ms IS NOT NULL) = (finished_at_ms IS NOT NULL)),
    CHECK ((failure_code IS NOT NULL) = (state IN ('failed', 'cancelled', 'expired'))),
    CHECK ((failure_data IS NOT NULL) = (failure_code IS NOT NULL))
) STRICT;

-- The line. A claim walks it from the front and stops at the first job that may start; a position
-- and a waiting time are a count and two sums over the part before a job, from the index alone.
CREATE INDEX job_line ON job (rank, seq, estimate_ms, spread_ms) WHERE rank IS NOT NULL;
CREATE INDEX job_waiting_of ON job (user_key, state, seq) WHERE rank IS NOT NULL;
CREATE INDEX job_waiting_since ON job (created_at_ms) WHERE rank IS NOT NULL;
CREATE INDEX job_running ON job (started_at_ms) WHERE token IS NOT NULL;
CREATE INDEX job_of ON job (user_key, created_at_ms);
CREATE INDEX job_finished ON job (finished_at_ms) WHERE finished_at_ms IS NOT NULL;

-- Fairness: where each account stands in virtual time, and how many of its jobs are live.
CREATE TABLE flow (
    user_key    TEXT    NOT NULL PRIMARY KEY,
    finish      INTEGER NOT NULL,                 -- virtual end of what was started
    since_ms    INTEGER NOT NULL,                 -- its first waiting job waits for a turn since
    weight      INTEGER NOT NULL CHECK (weight > 0),              -- percent of an ordinary share
    held        INTEGER NOT NULL CHECK (held >= 0),
    active      INTEGER NOT NULL CHECK (active >= 0)              -- queued and running
) STRICT, WITHOUT ROWID;
CREATE INDEX flow_finish ON flow (finish);

CREATE TABLE sched (
    id          INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    vtime       INTEGER NOT NULL                  -- fair start of the job started last
) STRICT;
INSERT INTO sched (id, vtime) VALUES (1, 0);

-- Quota: a window begins with its first use. The sums are the ledger's, kept for speed.
CREATE TABLE account (
    user_key    TEXT    NOT NULL,
    period      INTEGER NOT NULL CHECK (period > 0),              -- 1, 2, … of this account
    began_at_ms INTEGER,                          -- NULL before the first use
    granted_ms  INTEGER NOT NULL,                 -- given by operators, beside the allowance
    reserved_ms INTEGER NOT NULL CHECK (reserved_ms >= 0),
    used_ms     INTEGER NOT NULL CHECK (used_ms >= 0),
    PRIMARY KEY (user_key, period)
) STRICT, WITHOUT ROWID;

-- Append-only. A job has one reserve, then exactly one commit or refund of the same period.
CREATE TABLE ledger (
    id          INTEGER PRIMARY KEY,
    job_id      TEXT,                             -- NULL for grants; outlives the job's row
    kind        TEXT    NOT NULL CHECK (kind IN ('reserve', 'commit', 'refund', 'grant')),
    user_key    TEXT    NOT NULL,
    period      INTEGER NOT NULL,
    amount_ms   INTEGER NOT NULL CHECK (amount_ms >= 0 OR kind = 'grant'),
    at_ms       INTEGER NOT NULL,
    CHECK ((job_id IS NULL) = (kind = 'grant')),
    FOREIGN KEY (user_key, period) REFERENCES account (user_key, period)
) STRICT;
CREATE UNIQUE INDEX ledger_reserve ON ledger (job_id) WHERE kind = 'reserve';
CREATE UNIQUE INDEX ledger_settlement ON ledger (job_id) WHERE kind IN ('commit', 'refund');
CREATE INDEX ledger_account ON ledger (user_key, period);
CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;
CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;

-- The clip of a job that succeeded; names are relative to the clips folder.
CREATE TABLE artifact (
    job_id      TEXT    NOT NULL PRIMARY KEY REFERENCES job (id) ON DELETE CASCADE,
    path        TEXT    NOT NULL CHECK (path NOT LIKE '/%' AND path NOT LIKE '%..%'),
    poster      TEXT    NOT NULL CHECK (poster NOT LIKE '/%' AND poster NOT LIKE '%..%'),
    sha256      TEXT    NOT NULL CHECK (sha256 <> ''),
    size_bytes  INTEGER NOT NULL,
    width       INTEGER NOT NULL,
    height      INTEGER NOT NULL,
    frames      INTEGER NOT NULL,
    fps         REAL    NOT NULL,
    has_sound   INTEGER NOT NULL CHECK (has_sound IN (0, 1))
) STRICT;

-- Deliveries owed and done: pending, then sending, then sent or dead. `next_at_ms` is set exactly
-- while pending; `ambiguous` once an attempt began whose outcome nobody knows.
CREATE TABLE outbox (
    job_id      TEXT    NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    dest        TEXT    NOT NULL,                 -- platform
    state       TEXT    NOT NULL CHECK (state IN ('pending', 'sending', 'sent', 'dead')),
    nonce       TEXT    NOT NULL CHECK (length(nonce) <= 25),
    attempts    INTEGER NOT NULL CHECK (attempts >= 0),
    next_at_ms  INTEGER,
    began_at_ms INTEGER,
    ambiguous   INTEGER NOT NULL CHECK (ambiguous IN (0, 1)),
    sent_id     TEXT,
    error       TEXT,
    PRIMARY KEY (job_id, dest),
    CHECK ((next_at_ms IS NOT NULL) = (state = 'pending'))
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_due ON outbox (next_at_ms, dest) WHERE next_at_ms IS NOT NULL;
CREATE INDEX outbox_sending ON outbox (state) WHERE state = 'sending';

-- What happened to a job, for people who ask later.
CREATE TABLE job_event (
    id          INTEGER PRIMARY KEY,
    job_id      TEXT    NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    at_ms       INTEGER NOT NULL,
    what        TEXT    NOT NULL,                 -- the state it came to
    detail      TEXT    NOT NULL
) STRICT;
CREATE INDEX job_event_of ON job_event (job_id);

-- Which jobs need which admitted file, so that a file nobody needs can go.
CREATE TABLE job_media (
    name        TEXT    NOT NULL,
    job_id      TEXT    NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    PRIMARY KEY (name, job_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_media_of ON job_media (job_id);

-- Switches of the operator that outlive the process, e.g. whether the intake is open.
CREATE TABLE setting (
    name        TEXT    NOT NULL PRIMARY KEY,
    value       TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
