-- What every run really took, and the rates fitted to it. Kept apart from jobs: jobs are pruned.
CREATE TABLE run (
  job_id TEXT NOT NULL,
  attempt INTEGER NOT NULL CHECK (attempt >= 0),
  recorded_at_ms INTEGER NOT NULL,
  device TEXT NOT NULL,
  profile TEXT NOT NULL,
  pin TEXT NOT NULL,
  mode TEXT NOT NULL,
  preset TEXT NOT NULL,
  width INTEGER NOT NULL,
  height INTEGER NOT NULL,
  frames INTEGER NOT NULL,
  fps INTEGER NOT NULL,
  estimate_ms INTEGER NOT NULL,
  p95_ms INTEGER NOT NULL,
  gpu_ms INTEGER NOT NULL,
  wait_ms INTEGER NOT NULL,
  peak_bytes INTEGER,
  error TEXT,
  PRIMARY KEY (job_id, attempt)
) STRICT;

CREATE INDEX run_by_place ON run (device, profile, pin, recorded_at_ms);

CREATE TABLE run_part (
  job_id TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  part TEXT NOT NULL,
  seconds REAL NOT NULL CHECK (seconds >= 0),
  flops REAL NOT NULL,
  slow_flops REAL NOT NULL,
  bytes REAL NOT NULL,
  host_bytes REAL NOT NULL,
  passes REAL NOT NULL,
  PRIMARY KEY (job_id, attempt, part),
  FOREIGN KEY (job_id, attempt) REFERENCES run (job_id, attempt) ON DELETE CASCADE
) STRICT;

CREATE TABLE fit (
  device TEXT NOT NULL,
  profile TEXT NOT NULL,
  pin TEXT NOT NULL,
  fitted_at_ms INTEGER NOT NULL,
  spread REAL NOT NULL,
  runs INTEGER NOT NULL,
  PRIMARY KEY (device, profile, pin)
) STRICT;

CREATE TABLE fit_rate (
  device TEXT NOT NULL,
  profile TEXT NOT NULL,
  pin TEXT NOT NULL,
  part TEXT NOT NULL,
  a REAL NOT NULL CHECK (a >= 0),
  b REAL NOT NULL CHECK (b >= 0),
  c REAL NOT NULL CHECK (c >= 0),
  launch REAL NOT NULL CHECK (launch >= 0),
  PRIMARY KEY (device, profile, pin, part),
  FOREIGN KEY (device, profile, pin) REFERENCES fit (device, profile, pin) ON DELETE CASCADE
) STRICT;
