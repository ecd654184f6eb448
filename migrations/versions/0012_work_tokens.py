"""Tokens of the job engine: each job that comes into line adds one, in its own transaction.

A token says "there may be work" and nothing else. A file of SQLite has one process, which looks
for itself.
"""

from alembic import op

revision = "0012"
down_revision = "0011"
oldest = 10

# A queue's name is part of a channel's, which PostgreSQL limits to 63 bytes.
_QUEUE = """
CREATE FUNCTION clapper_queue(of_pool TEXT) RETURNS TEXT LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN octet_length(of_pool) <= 40 THEN of_pool ELSE md5(of_pool) END
$$
"""
# As many tokens as there are jobs in line, at most so many; those that are there count.
_TOP_UP = """
CREATE FUNCTION clapper_top_up(of_pool TEXT, most BIGINT) RETURNS BIGINT LANGUAGE plpgsql AS $$
DECLARE
    missing BIGINT;
BEGIN
    SELECT
        (SELECT count(*) FROM (
            SELECT 1 FROM job WHERE rank IS NOT NULL AND pool = of_pool LIMIT most) AS waiting)
        - (SELECT count(*) FROM (
            SELECT 1 FROM procrastinate_jobs
            WHERE status = 'todo' AND queue_name = clapper_queue(of_pool) LIMIT most) AS known)
        INTO missing;
    IF missing > 0 THEN
        PERFORM clapper_defer(of_pool, missing);
    END IF;
    RETURN greatest(missing, 0);
END $$
"""
_DEFER = """
CREATE FUNCTION clapper_defer(of_pool TEXT, tokens BIGINT) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM procrastinate_defer_jobs_v1(array_agg(
        ROW(clapper_queue(of_pool), 'clapper:attempt', 0, NULL, NULL, '{}', NULL)
            ::procrastinate_job_to_defer_v1)) FROM generate_series(1, tokens);
END $$
"""
_ENTERS = """
CREATE FUNCTION clapper_job_enters_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM clapper_defer(NEW.pool, 1);
    RETURN NULL;
END $$
"""
# Whom a limit of running jobs held back may be next now.
_ENDS = """
CREATE FUNCTION clapper_job_ends() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM clapper_top_up(NEW.pool, 1);
    RETURN NULL;
END $$
"""
_TRIGGERS = (
    "CREATE TRIGGER job_enters_line AFTER INSERT ON job FOR EACH ROW"
    " WHEN (NEW.rank IS NOT NULL) EXECUTE FUNCTION clapper_job_enters_line()",
    "CREATE TRIGGER job_returns_to_line AFTER UPDATE OF rank ON job FOR EACH ROW"
    " WHEN (OLD.rank IS NULL AND NEW.rank IS NOT NULL)"
    " EXECUTE FUNCTION clapper_job_enters_line()",
    "CREATE TRIGGER job_ends AFTER UPDATE OF finished_at_ms ON job FOR EACH ROW"
    " WHEN (OLD.finished_at_ms IS NULL AND NEW.finished_at_ms IS NOT NULL)"
    " EXECUTE FUNCTION clapper_job_ends()",
)


def upgrade() -> None:
    """Add functions and triggers on PostgreSQL; no table changes."""
    if op.get_bind().dialect.name == "postgresql":
        for statement in (_QUEUE, _DEFER, _TOP_UP, _ENTERS, _ENDS, *_TRIGGERS):
            op.execute(statement)
