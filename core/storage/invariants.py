"""What must always be true of the rows, as queries that find the rows where it is not.

All are checked by ``clapper invariants`` and after every step of the torture tests; by the service
slice by slice, as nobody can submit while a question is asked.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

SHOWN = 20  # findings of one rule


@dataclass(frozen=True, slots=True)
class Violation:
    """One row that contradicts ``rule``; ``subject`` is a job id or the name of an account."""

    rule: str
    subject: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.subject}"


Key: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """A table that rules go through, in the order of its primary key."""

    table: str
    columns: tuple[str, ...]

    @property
    def names(self) -> str:
        """Return the columns of the key."""
        return ", ".join(self.columns)

    def bounds(self, after: Key | None, until: Key | None) -> tuple[str, dict[str, Any]]:
        """Return a condition for the rows behind ``after`` up to ``until``, and its values."""
        found, values = ["TRUE"], dict[str, Any]()
        for name, sign, key in (("after", ">", after), ("until", "<=", until)):
            if key is not None:
                values |= {f"{name}{place}": part for place, part in enumerate(key)}
                marks = ", ".join(f":{name}{place}" for place in range(len(key)))
                found.append(f"({self.names}) {sign} ({marks})")
        return " AND ".join(found), values


@dataclass(frozen=True, slots=True)
class Rule:
    """What must be true of each row of ``source``; ``query`` finds those of which it is not."""

    name: str
    source: Source
    query: str


_JOB = Source("job", ("job.seq",))
_LEDGER = Source("ledger", ("id",))
_ACCOUNT = Source("account", ("limit_name", "account_key", "period"))
_FLOW = Source("flow", ("user_key",))
_PSEUDONYM = Source("pseudonym", ("limit_name", "subject"))
SOURCES = (_JOB, _LEDGER, _ACCOUNT, _FLOW, _PSEUDONYM)

# `finished_at_ms` is set exactly in terminal states, by a CHECK of the table
# Each rule is asked of the rows of one table; {slice} bounds them by the primary key.
_RULES: tuple[Rule, ...] = (
    Rule("a live job has exactly one open reservation", _JOB, """
        SELECT id FROM job WHERE {slice} AND finished_at_ms IS NULL AND NOT (
          EXISTS (SELECT 1 FROM ledger WHERE job_id = job.id AND kind = 'reserve') AND NOT
          EXISTS (SELECT 1 FROM ledger WHERE job_id = job.id AND kind IN ('commit', 'refund')))"""),
    Rule("a live job's account has a place in the fair order", _JOB, """
        SELECT id FROM job WHERE {slice} AND finished_at_ms IS NULL
          AND NOT EXISTS (SELECT 1 FROM flow WHERE flow.user_key = job.share_key)"""),
    Rule("a terminal job has a reservation and exactly one settlement", _JOB, """
        SELECT id FROM job WHERE {slice} AND finished_at_ms IS NOT NULL AND NOT (
          EXISTS (SELECT 1 FROM ledger WHERE job_id = job.id AND kind = 'reserve') AND NOT
          EXISTS (SELECT 1 FROM ledger AS held WHERE job_id = job.id AND kind = 'reserve'
                  AND 1 <> (SELECT count(*) FROM ledger AS done
                            WHERE done.job_id = held.job_id AND done.limit_name = held.limit_name
                              AND done.kind IN ('commit', 'refund'))))"""),
    Rule("an open reservation belongs to a job", _LEDGER, """
        SELECT job_id FROM ledger AS held WHERE {slice} AND kind = 'reserve'
          AND NOT EXISTS (SELECT 1 FROM job WHERE job.id = held.job_id)
          AND NOT EXISTS (SELECT 1 FROM ledger AS done
                          WHERE done.job_id = held.job_id AND done.limit_name = held.limit_name
                            AND done.kind IN ('commit', 'refund'))"""),
    Rule("a settlement ends a reservation of its account", _LEDGER, """
        SELECT job_id FROM ledger AS done
        WHERE {slice} AND kind IN ('commit', 'refund') AND NOT EXISTS (
          SELECT 1 FROM ledger AS held
          WHERE held.job_id = done.job_id AND held.limit_name = done.limit_name
            AND held.kind = 'reserve' AND held.account_key = done.account_key
            AND held.period = done.period AND held.unit = done.unit)"""),
    Rule("a job ends in the same way in every limit", _LEDGER, """
        SELECT job_id FROM ledger AS done WHERE {slice} AND kind IN ('commit', 'refund')
          AND EXISTS (SELECT 1 FROM ledger AS other WHERE other.job_id = done.job_id
            AND other.kind IN ('commit', 'refund') AND other.kind <> done.kind)"""),
    Rule("what was charged is what the ledger says", _JOB, """
        SELECT job.id FROM job JOIN ledger ON job_id = job.id AND kind IN ('commit', 'refund')
        WHERE {slice} AND unit = 'gpu_ms'
          AND charged_ms <> CASE kind WHEN 'commit' THEN amount ELSE 0 END"""),
    Rule("an account is the sum of its ledger", _ACCOUNT, """
        SELECT limit_name || ' ' || account_key || '#' || period FROM account
        WHERE {slice} AND (granted, used, reserved) <> ({sums})"""),
    Rule("a pseudonym names an account", _PSEUDONYM, """
        SELECT subject FROM pseudonym WHERE {slice} AND NOT EXISTS (
          SELECT 1 FROM account WHERE account.limit_name = pseudonym.limit_name
            AND account.account_key = pseudonym.account_key)"""),
    Rule("a terminal job owes or owed exactly one delivery to its destination", _JOB, """
        SELECT id FROM job WHERE {slice} AND finished_at_ms IS NOT NULL AND (
          1 <> (SELECT count(*) FROM outbox WHERE job_id = job.id) OR
          1 <> (SELECT count(*) FROM outbox WHERE job_id = job.id AND dest = reply_platform))"""),
    Rule("a live job owes no delivery", _JOB, """
        SELECT id FROM job WHERE {slice} AND finished_at_ms IS NULL
          AND EXISTS (SELECT 1 FROM outbox WHERE job_id = job.id)"""),
    Rule("an idempotency key made one job", _JOB, """
        SELECT id FROM job WHERE {slice} AND EXISTS (
          SELECT 1 FROM job AS same WHERE same.user_key = job.user_key
            AND same.idem_key = job.idem_key AND same.seq <> job.seq)"""),
    Rule("an account has at most its limit of jobs started while others waited", _FLOW, """
        SELECT user_key FROM flow WHERE {slice} AND (
            SELECT count(*) FROM job WHERE share_key = flow.user_key AND rank IS NOT NULL
              AND state = 'queued' AND above_limit = 0
          ) + (
            SELECT count(*) FROM job WHERE token IS NOT NULL AND share_key = flow.user_key
              AND above_limit = 0
          ) > (SELECT CAST(value AS INTEGER) FROM setting WHERE name = 'max_running')"""),
    Rule("a running job is owned by a token with a lease", _JOB, """
        SELECT id FROM job WHERE {slice} AND state = 'running' AND
          (token IS NULL OR lease_until_ms IS NULL OR attempt < 1 OR lease_until_ms < :now)"""),
    Rule("a succeeded job, and no other, has a clip with a checksum", _JOB, """
        SELECT job.id FROM job LEFT JOIN artifact ON job_id = job.id
        WHERE {slice} AND (state = 'succeeded') <> (coalesce(sha256, '') <> '')"""),
    Rule("an account's counters are its jobs", _FLOW, """
        SELECT user_key FROM flow WHERE {slice} AND (held, active) <> ({live})"""),
)  # fmt: skip

_SUMS = """
    SELECT coalesce(sum(CASE kind WHEN 'grant' THEN amount END), 0),
        coalesce(sum(CASE WHEN kind IN ('commit', 'opening') THEN amount END), 0),
        coalesce(sum(CASE WHEN kind = 'reserve' AND NOT EXISTS (
            SELECT 1 FROM ledger AS done
            WHERE done.job_id = ledger.job_id AND done.limit_name = ledger.limit_name
              AND done.kind IN ('commit', 'refund')) THEN amount END), 0)
    FROM ledger WHERE ledger.limit_name = account.limit_name
      AND ledger.account_key = account.account_key AND ledger.period = account.period"""
# the two partial indexes of live jobs, or every row of the table would be read for each account
_LIVE = """
    SELECT (SELECT count(*) FROM job WHERE share_key = flow.user_key AND rank IS NOT NULL
              AND state = 'held'),
        (SELECT count(*) FROM job WHERE share_key = flow.user_key AND rank IS NOT NULL
              AND state = 'queued')
        + (SELECT count(*) FROM job WHERE token IS NOT NULL AND share_key = flow.user_key)"""


_MOST = 2**53  # beyond it, milliseconds would be 285 000 years
_ABSURD = (
    *(
        f"UPDATE job SET {name} = {sound} WHERE finished_at_ms IS NULL"  # noqa: S608  # ours
        f" AND ({name} > :most OR {name} < -:most)"
        for name, sound in (
            ("attempt", "1"), ("losses", "0"), ("tag", "0"), ("rank", "0"), ("cost", "1000"),
            ("spread_ms", "0"),
        )
    ),
    "UPDATE sched SET vtime = COALESCE((SELECT max(tag) FROM job WHERE token IS NOT NULL), 0)"
    " WHERE vtime > :most OR vtime < -:most",
    "UPDATE flow SET finish = 0 WHERE finish > :most OR finish < -:most",
)  # fmt: skip


async def check(connection: AsyncConnection, now_ms: int | None = None) -> list[Violation]:
    """Look for rows that contradict each other, in all tables.

    Args:
        connection: inside a transaction.
        now_ms: epoch milliseconds; a running job whose lease ended before is a violation. None
            leaves that out.
    """
    found: list[Violation] = []
    for rule in _RULES:
        found += await _ask(connection, rule, "TRUE", {}, now_ms)
    return found


async def check_newest(connection: AsyncConnection, count: int) -> list[Violation]:
    """Look at the newest ``count`` jobs and entries, and as many of everything else."""
    found: list[Violation] = []
    for source in SOURCES:
        backwards = ", ".join(f"{name} DESC" for name in source.columns)
        keys = f"SELECT {source.names} FROM {source.table} ORDER BY {backwards}"  # noqa: S608  # ours
        edge = (await connection.execute(text(f"{keys} LIMIT 1 OFFSET {int(count)}"))).first()
        after = None if edge is None else tuple(edge)
        bounds, values = source.bounds(after, None)
        found += await _ask_rules(connection, source, bounds, values)
    return found


async def check_slice(
    connection: AsyncConnection, source: Source, after: Key | None, size: int
) -> tuple[Key | None, list[Violation]]:
    """Look at the next ``size`` rows of a table.

    Returns:
        The key of the last row looked at, None at the end of the table, and what was found.
    """
    bounds, values = source.bounds(after, None)
    keys = f"""SELECT {source.names} FROM {source.table} WHERE {bounds}
        ORDER BY {source.names} LIMIT {int(size)}"""  # noqa: S608  # names of ours
    rows = (await connection.execute(text(keys), values)).all()
    if not rows:
        return None, []
    until: Key = tuple(rows[-1])
    bounds, values = source.bounds(after, until)
    found = await _ask_rules(connection, source, bounds, values)
    return (until if len(rows) == size else None), found  # not after rows that come meanwhile


async def _ask_rules(
    connection: AsyncConnection, source: Source, bounds: str, values: dict[str, Any]
) -> list[Violation]:
    found: list[Violation] = []
    for rule in _RULES:
        if rule.source is source:
            found += await _ask(connection, rule, bounds, values)
    return found


async def _ask(
    connection: AsyncConnection,
    rule: Rule,
    bounds: str,
    values: dict[str, Any],
    now_ms: int | None = None,
) -> list[Violation]:
    query = rule.query.format(slice=bounds, sums=_SUMS, live=_LIVE)
    used = {**values, "now": now_ms or 0} if ":now" in query else values
    rows = await connection.execute(text(f"{query} LIMIT {SHOWN}"), used)
    return [Violation(rule.name, str(row[0])) for row in rows]


async def repair_numbers(connection: AsyncConnection) -> None:
    """Bring back what no count of ours can be: one more than it would end every claim."""
    for statement in _ABSURD:
        await connection.execute(text(statement), {"most": _MOST})


async def repair_counters(connection: AsyncConnection) -> None:
    """Count the live jobs of each account again."""
    await connection.execute(text(f"UPDATE flow SET (held, active) = ({_LIVE})"))  # noqa: S608  # ours


async def repair(connection: AsyncConnection) -> None:
    """Compute again what is only a cached sum: accounts and counters. Truth is never touched."""
    await connection.execute(text(f"UPDATE account SET (granted, used, reserved) = ({_SUMS})"))  # noqa: S608  # ours
    await repair_counters(connection)
