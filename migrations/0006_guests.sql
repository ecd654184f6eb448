-- Whose share of the device a job uses: the payer's account, which is not the owner for guests.
-- Jobs of before keep the account that they were accepted under.
ALTER TABLE job ADD COLUMN share_key TEXT NOT NULL DEFAULT '';
UPDATE job SET share_key = user_key;
CREATE INDEX job_share_of ON job (share_key, state, seq) WHERE rank IS NOT NULL;

-- What guests of one network use of the guests' budget in one of its windows; `network` is a keyed
-- hash. Not tied to the job's row: deleting a clip gives nothing back.
CREATE TABLE network_use (
    job_id      TEXT    NOT NULL PRIMARY KEY,
    network     TEXT    NOT NULL,
    period      INTEGER NOT NULL,                 -- of the guests' account
    amount_ms   INTEGER NOT NULL CHECK (amount_ms >= 0)           -- reserved, then charged
) STRICT, WITHOUT ROWID;
CREATE INDEX network_use_of ON network_use (network, period);
