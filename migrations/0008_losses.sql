-- How often a job's worker was lost with it: it vanished, or the process or the device died. Attempts
-- are more: a service that is stopped begins the job once more, and nothing was wrong with it.
ALTER TABLE job ADD COLUMN losses INTEGER NOT NULL DEFAULT 0;
