"""What must always be true of the rows, as queries that find the rows where it is not.

Checked at every start, every hour, and after every step of the torture tests.
"""

from dataclasses import dataclass

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


# `finished_at_ms` is set exactly in terminal states, by a CHECK of the table
_RULES: dict[str, str] = {
    "a live job has exactly one open reservation": """
        SELECT id FROM job WHERE finished_at_ms IS NULL AND NOT (
          EXISTS (SELECT 1 FROM ledger WHERE job_id = job.id AND kind = 'reserve') AND NOT
          EXISTS (SELECT 1 FROM ledger WHERE job_id = job.id AND kind IN ('commit', 'refund')))""",
    "a terminal job has a reservation and exactly one settlement": """
        SELECT id FROM job WHERE finished_at_ms IS NOT NULL AND NOT (
          EXISTS (SELECT 1 FROM ledger WHERE job_id = job.id AND kind = 'reserve') AND NOT
          EXISTS (SELECT 1 FROM ledger AS held WHERE job_id = job.id AND kind = 'reserve'
                  AND 1 <> (SELECT count(*) FROM ledger AS done
                            WHERE done.job_id = held.job_id AND done.limit_name = held.limit_name
                              AND done.kind IN ('commit', 'refund'))))""",
    "an open reservation belongs to a job": """
        SELECT job_id FROM ledger AS held WHERE kind = 'reserve'
          AND NOT EXISTS (SELECT 1 FROM job WHERE id = held.job_id)
          AND NOT EXISTS (SELECT 1 FROM ledger AS done
                          WHERE done.job_id = held.job_id AND done.limit_name = held.limit_name
                            AND done.kind IN ('commit', 'refund'))""",
    "a settlement ends a reservation of its account": """
        SELECT job_id FROM ledger AS done WHERE kind IN ('commit', 'refund') AND NOT EXISTS (
          SELECT 1 FROM ledger AS held
          WHERE held.job_id = done.job_id AND held.limit_name = done.limit_name
            AND held.kind = 'reserve' AND held.account_key = done.account_key
            AND held.period = done.period AND held.unit = done.unit)""",
    "a job ends in the same way in every limit": """
        SELECT job_id FROM ledger WHERE kind IN ('commit', 'refund')
        GROUP BY job_id HAVING count(DISTINCT kind) > 1""",
    "what was charged is what the ledger says": """
        SELECT job.id FROM job JOIN ledger ON job_id = job.id AND kind IN ('commit', 'refund')
        WHERE unit = 'gpu_ms'
          AND charged_ms <> CASE kind WHEN 'commit' THEN amount ELSE 0 END""",
    "an account is the sum of its ledger": """
        SELECT account.limit_name || ' ' || account.account_key || '#' || account.period
        FROM account LEFT JOIN (
          SELECT limit_name, account_key, period,
            sum(CASE kind WHEN 'grant' THEN amount ELSE 0 END) AS granted,
            sum(CASE kind WHEN 'commit' THEN amount ELSE 0 END) AS used,
            sum(CASE WHEN kind = 'reserve' AND NOT EXISTS (
                  SELECT 1 FROM ledger AS done
                  WHERE done.job_id = ledger.job_id AND done.limit_name = ledger.limit_name
                    AND done.kind IN ('commit', 'refund'))
                THEN amount ELSE 0 END) AS reserved
          FROM ledger GROUP BY limit_name, account_key, period
        ) AS sums USING (limit_name, account_key, period)
        WHERE account.granted <> coalesce(sums.granted, 0)
           OR account.used <> coalesce(sums.used, 0)
           OR account.reserved <> coalesce(sums.reserved, 0)""",
    "a pseudonym names an account": """
        SELECT subject FROM pseudonym WHERE NOT EXISTS (
          SELECT 1 FROM account WHERE account.limit_name = pseudonym.limit_name
            AND account.account_key = pseudonym.account_key)""",
    "a terminal job owes or owed exactly one delivery to its destination": """
        SELECT id FROM job WHERE finished_at_ms IS NOT NULL AND (
          1 <> (SELECT count(*) FROM outbox WHERE job_id = job.id) OR
          1 <> (SELECT count(*) FROM outbox WHERE job_id = job.id AND dest = reply_platform))""",
    "a live job owes no delivery": """
        SELECT job.id FROM job JOIN outbox ON job_id = job.id WHERE finished_at_ms IS NULL""",
    "an idempotency key made one job": """
        SELECT user_key || ' ' || idem_key FROM job GROUP BY user_key, idem_key
        HAVING count(*) > 1""",
    "an account has at most its limit of jobs started while others waited": """
        SELECT share_key FROM job WHERE state IN ('queued', 'running') AND above_limit = 0
        GROUP BY share_key
        HAVING count(*) > (
          SELECT CAST(value AS INTEGER) FROM setting WHERE name = 'max_running')""",
    "a running job is owned by a token with a lease": """
        SELECT id FROM job WHERE state = 'running' AND
          (token IS NULL OR lease_until_ms IS NULL OR attempt < 1 OR lease_until_ms < :now)""",
    "a succeeded job, and no other, has a clip with a checksum": """
        SELECT job.id FROM job LEFT JOIN artifact ON job_id = job.id
        WHERE (state = 'succeeded') <> (coalesce(sha256, '') <> '')""",
    "an account's counters are its jobs": """
        SELECT flow.user_key FROM flow LEFT JOIN (
          SELECT share_key AS user_key, sum(state = 'held') AS waits, sum(state <> 'held') AS runs
          FROM job WHERE state IN ('held', 'queued', 'running') GROUP BY share_key
        ) AS live USING (user_key)
        WHERE held <> coalesce(waits, 0) OR active <> coalesce(runs, 0)""",
}


async def check(connection: AsyncConnection, now_ms: int | None = None) -> list[Violation]:
    """Look for rows that contradict each other.

    Args:
        connection: inside a transaction.
        now_ms: epoch milliseconds; a running job whose lease ended before is a violation. None
            leaves that out.
    """
    found: list[Violation] = []
    for rule, query in _RULES.items():
        values = {"now": now_ms or 0} if ":now" in query else {}
        rows = await connection.execute(text(f"{query} LIMIT {SHOWN}"), values)
        found += [Violation(rule, str(row[0])) for row in rows]
    return found


_REPAIRS = (
    """UPDATE account SET (granted, used, reserved) = (
        SELECT coalesce(sum(CASE kind WHEN 'grant' THEN amount END), 0),
            coalesce(sum(CASE kind WHEN 'commit' THEN amount END), 0),
            coalesce(sum(CASE WHEN kind = 'reserve' AND NOT EXISTS (
                SELECT 1 FROM ledger AS done
                WHERE done.job_id = ledger.job_id AND done.limit_name = ledger.limit_name
                  AND done.kind IN ('commit', 'refund')) THEN amount END), 0)
        FROM ledger WHERE ledger.limit_name = account.limit_name
          AND ledger.account_key = account.account_key AND ledger.period = account.period)""",
    """UPDATE flow SET
        held = (SELECT count(*) FROM job WHERE share_key = flow.user_key AND state = 'held'),
        active = (SELECT count(*) FROM job
                  WHERE share_key = flow.user_key AND state IN ('queued', 'running'))""",
)


async def repair(connection: AsyncConnection) -> None:
    """Compute again what is only a cached sum: accounts and counters. Truth is never touched."""
    for statement in _REPAIRS:
        await connection.execute(text(statement))
