-- How often the process or its device died while it worked on a job: told apart from attempts, which
-- a stop or a lost device does not count.
ALTER TABLE job ADD COLUMN deaths INTEGER NOT NULL DEFAULT 0;
