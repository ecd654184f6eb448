"""Make the tables small that grow with every job: functions on a connection, a few rows a call.

Sums stay what they are: whatever is taken from the ledger is in the opening balance of its window.
"""

from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

RUNS_KEPT = 500  # of each device, profile, pin and mode; a fit looks at 200


class AccountName(NamedTuple):
    """The key of a window."""

    limit_name: str
    account_key: str
    period: int


FIRST_ACCOUNT = AccountName("", "", 0)

_GONE = """
    SELECT id FROM (
        SELECT id, job_id, limit_name FROM ledger WHERE id > :after ORDER BY id LIMIT :n
    ) AS entry
    WHERE job_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM job WHERE job.id = entry.job_id)
      AND EXISTS (SELECT 1 FROM ledger AS done WHERE done.job_id = entry.job_id
        AND done.limit_name = entry.limit_name AND done.kind IN ('commit', 'refund'))
"""
_OPEN = """
    INSERT INTO ledger (job_id, kind, limit_name, account_key, period, unit, amount, at_ms)
    SELECT NULL, 'opening', limit_name, account_key, period, unit, sum(amount), :now
    FROM ledger WHERE id IN ({ids}) AND kind = 'commit'
    GROUP BY limit_name, account_key, period, unit
    ON CONFLICT (limit_name, account_key, period) WHERE kind = 'opening'
    DO UPDATE SET amount = ledger.amount + excluded.amount, at_ms = excluded.at_ms
"""
# Nothing is reserved or of a kept job in it, and it is not in force: a newer window is, or it
# ended long ago, or nothing ever happened in it.
_OVER = """
    SELECT limit_name, account_key, period FROM account AS old
    WHERE (limit_name, account_key, period) > (:limit_name, :account_key, :period)
      AND (limit_name, account_key, period) <= (:last_limit, :last_key, :last_period)
      AND reserved = 0
      AND NOT EXISTS (SELECT 1 FROM ledger WHERE ledger.limit_name = old.limit_name
        AND ledger.account_key = old.account_key AND ledger.period = old.period
        AND job_id IS NOT NULL)
      AND NOT EXISTS (SELECT 1 FROM pseudonym WHERE pseudonym.limit_name = old.limit_name
        AND pseudonym.account_key = old.account_key)
      AND ((used > 0 AND began_at_ms < :before) OR (used = 0 AND granted = 0)
        OR EXISTS (SELECT 1 FROM account AS newer WHERE newer.limit_name = old.limit_name
          AND newer.account_key = old.account_key AND newer.period > old.period))
"""
_SAME = "limit_name = :limit_name AND account_key = :account_key AND period = :period"


async def roll_up(connection: AsyncConnection, after: int, limit: int, now: int) -> int | None:
    """Take the entries of jobs that are gone into the opening balances of their windows.

    Args:
        connection: inside a transaction.
        after: the number of the last entry that was looked at.
        limit: how many to look at.
        now: written beside an opening balance, epoch milliseconds.

    Returns:
        The number of the last entry looked at now; None at the end of the ledger.
    """
    slice_of = "(SELECT id FROM ledger WHERE id > :after ORDER BY id LIMIT :n)"
    looked = text(f"SELECT max(id), count(*) FROM {slice_of} AS looked")  # noqa: S608  # ours
    last, count = (await connection.execute(looked, {"after": after, "n": limit})).one()
    found = await connection.execute(text(_GONE), {"after": after, "n": limit})
    ids = ", ".join(str(int(row[0])) for row in found)
    if ids:
        # a reservation and what ended it may lie in two slices; sums are of what ended it, and a
        # reservation whose end is gone would be open again: it goes first, or with it
        pairs = text(_WITH_RESERVATIONS.format(ids=ids))
        both = ", ".join(str(int(row[0])) for row in await connection.execute(pairs))
        await connection.execute(text(_OPEN.format(ids=both)), {"now": now})
        await connection.execute(text(f"DELETE FROM ledger WHERE id IN ({both})"))  # noqa: S608  # numbers of ours
    return last if count == limit else None  # not after entries that come meanwhile


_WITH_RESERVATIONS = """
    SELECT held.id FROM ledger AS entry JOIN ledger AS held ON held.job_id = entry.job_id
      AND held.limit_name = entry.limit_name AND held.kind = 'reserve'
    WHERE entry.id IN ({ids})
    UNION
    SELECT done.id FROM ledger AS entry JOIN ledger AS done ON done.job_id = entry.job_id
      AND done.limit_name = entry.limit_name AND done.kind IN ('commit', 'refund')
    WHERE entry.id IN ({ids})
"""  # twice, as there is an index of each kind


async def drop_windows(
    connection: AsyncConnection, after: AccountName, limit: int, before: int
) -> AccountName | None:
    """Delete windows that are over and of which no kept job knows, with their opening balances.

    Args:
        connection: inside a transaction.
        after: the last window that was looked at.
        limit: how many to look at.
        before: a window that began before then (epoch ms) is over in any case.

    Returns:
        The last window looked at now; None at the end.
    """
    names = f"""SELECT limit_name, account_key, period FROM account
        WHERE (limit_name, account_key, period) > (:limit_name, :account_key, :period)
        ORDER BY limit_name, account_key, period LIMIT {int(limit)}"""  # noqa: S608  # a number
    looked = [AccountName(*row) for row in await connection.execute(text(names), after._asdict())]
    if not looked:
        return None
    last = looked[-1]
    upto = {"last_limit": last[0], "last_key": last[1], "last_period": last[2], "before": before}
    found = await connection.execute(text(_OVER), {**after._asdict(), **upto})
    for row in found.all():
        name = AccountName(*row)._asdict()
        await connection.execute(text(f"DELETE FROM ledger WHERE {_SAME}"), name)  # noqa: S608  # ours
        await connection.execute(text(f"DELETE FROM account WHERE {_SAME}"), name)  # noqa: S608  # ours
    return last if len(looked) == limit else None


async def drop_idle_flows(connection: AsyncConnection, limit: int) -> int:
    """Delete the standing of accounts without live jobs that virtual time has passed."""
    return await _delete(
        connection,
        """DELETE FROM flow WHERE user_key IN (SELECT user_key FROM flow
            WHERE finish <= (SELECT vtime FROM sched) AND held = 0 AND active = 0 LIMIT :n)""",
        {"n": limit},
    )


async def thin_runs(connection: AsyncConnection, limit: int, kept: int = RUNS_KEPT) -> int:
    """Delete the oldest runs of each kind beyond the newest ``kept``, at most ``limit`` each."""
    kinds = "SELECT device, profile, pin, mode FROM run GROUP BY device, profile, pin, mode"
    gone = 0
    for kind in (await connection.execute(text(kinds))).mappings().all():
        gone += await _delete(
            connection,
            """DELETE FROM run WHERE (job_id, attempt) IN (SELECT job_id, attempt FROM run
                WHERE device = :device AND profile = :profile AND pin = :pin AND mode = :mode
                ORDER BY recorded_at_ms DESC LIMIT :n OFFSET :kept)""",
            {**kind, "n": limit, "kept": kept},
        )
    return gone


async def drop_old_notes(
    connection: AsyncConnection, audit_before: int, notice_before: int, limit: int
) -> int:
    """Delete what operators did, and what people were to be told, before then (epoch ms)."""
    gone = await _delete(
        connection,
        """DELETE FROM audit WHERE id IN (SELECT id FROM
            (SELECT id, at FROM audit ORDER BY id LIMIT :n) AS oldest
            WHERE at < :before)""",
        {"before": audit_before, "n": limit},
    )
    return gone + await _delete(
        connection,
        """DELETE FROM notice WHERE id IN (SELECT id FROM
            (SELECT id, created_at FROM notice ORDER BY id LIMIT :n) AS oldest
            WHERE created_at < :before)""",
        {"before": notice_before, "n": limit},
    )


async def _delete(connection: AsyncConnection, statement: str, values: dict[str, Any]) -> int:
    return (await connection.execute(text(statement), values)).rowcount
