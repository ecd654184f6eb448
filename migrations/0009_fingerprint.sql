-- What was asked under an idempotency key, as a hash: the same key with another request is told.
ALTER TABLE job ADD COLUMN fingerprint TEXT NOT NULL DEFAULT '';   -- empty: of before, or not compared
