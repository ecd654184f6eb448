"""Stored times after the clock stepped: they move with it, or no further ahead than they may lie.

Functions on a connection; :class:`core.queue.time_guard.TimeGuard` owns the transactions.
"""

import json
from collections.abc import Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from core.domain.decoding import parse_object
from core.storage import jobs as rows

_GUARD = "time_guard"  # the name of a row of the table setting

# What is measured from now: moved by the step, it lasts exactly as long as it would have.
_MOVED = (
    "UPDATE account SET began_at_ms = began_at_ms + :by WHERE began_at_ms > :now - :window",
    "UPDATE carried SET until_ms = until_ms + :by WHERE until_ms > :now",
    "UPDATE file_hold SET until_ms = until_ms + :by WHERE until_ms > :now",
    "UPDATE outbox SET next_at_ms = next_at_ms + :by WHERE next_at_ms IS NOT NULL",
    "UPDATE outbox SET lease_until_ms = lease_until_ms + :by WHERE token IS NOT NULL",
    "UPDATE feed_post SET next_at_ms = next_at_ms + :by WHERE next_at_ms IS NOT NULL",
    "UPDATE feed_post SET lease_until_ms = lease_until_ms + :by WHERE token IS NOT NULL",
    "UPDATE feed_post SET created_at_ms = created_at_ms + :by",
    "UPDATE feed_report SET at_ms = at_ms + :by",
    "UPDATE job SET lease_until_ms = lease_until_ms + :by, started_at_ms = started_at_ms + :by"
    " WHERE token IS NOT NULL",
    "UPDATE job SET overtaken_since_ms = overtaken_since_ms + :by"
    " WHERE overtaken_since_ms IS NOT NULL",
    "UPDATE memory SET updated_at = updated_at + :by",
    "UPDATE notice SET created_at = created_at + :by",
    "UPDATE link_try SET at_ms = at_ms + :by",
    "DELETE FROM link_code",  # they live for minutes; whoever wants one asks again
)
# How far ahead of now a time may lie, where nobody knows by how much the clock stepped.
_CAPPED = (
    "UPDATE account SET began_at_ms = :now WHERE began_at_ms > :now",
    "UPDATE carried SET until_ms = :now + :window WHERE until_ms > :now + :window",
    "UPDATE file_hold SET until_ms = :now + :hold WHERE until_ms > :now + :hold",
    "UPDATE outbox SET next_at_ms = :now + :retry WHERE next_at_ms > :now + :retry",
    "UPDATE feed_post SET next_at_ms = :now + :retry WHERE next_at_ms > :now + :retry",
    "UPDATE feed_post SET created_at_ms = :now WHERE created_at_ms > :now",
    "UPDATE feed_report SET at_ms = :now WHERE at_ms > :now",
    "UPDATE job SET started_at_ms = :now WHERE token IS NOT NULL AND started_at_ms > :now",
    "UPDATE job SET overtaken_since_ms = :now WHERE overtaken_since_ms > :now",
    "UPDATE memory SET updated_at = :now WHERE updated_at > :now",
    "UPDATE notice SET created_at = :now WHERE created_at > :now",
    "UPDATE link_try SET at_ms = :now WHERE at_ms > :now",
    "DELETE FROM link_code WHERE expires_at > :now + 3600000",
)


async def move(connection: AsyncConnection, now: int, by_ms: int, window_ms: int) -> None:
    """Move what is measured from ``now``, the time before the step, by ``by_ms``."""
    await _each(connection, _MOVED, {"now": now, "by": by_ms, "window": window_ms})


async def cap(
    connection: AsyncConnection, now: int, *, window_ms: int, hold_ms: int, retry_ms: int
) -> None:
    """Let no stored time lie further ahead of ``now`` than one of its kind ever does.

    Args:
        connection: inside a transaction.
        now: epoch milliseconds.
        window_ms: the length of a quota window.
        hold_ms: the longest that a file is held without a job.
        retry_ms: the longest wait between two tries of a delivery.
    """
    values = {"now": now, "window": window_ms, "hold": hold_ms, "retry": retry_ms}
    await _each(connection, _CAPPED, values)


async def extend_holds(connection: AsyncConnection, seen: int, by_ms: int) -> None:
    """Let files that were held at ``seen``, when a run ended, be held ``by_ms`` longer."""
    longer = "UPDATE file_hold SET until_ms = until_ms + :by WHERE until_ms > :seen"
    await connection.execute(text(longer), {"by": by_ms, "seen": seen})


async def read_guard(connection: AsyncConnection) -> dict[str, int]:
    """Read what was kept about the time; empty where nothing was, or nothing that makes sense."""
    kept = parse_object(await rows.read_setting(connection, _GUARD))
    return {name: value for name, value in kept.items() if type(value) is int}


async def write_guard(connection: AsyncConnection, values: Mapping[str, int]) -> None:
    """Keep what is known about the time."""
    await rows.write_setting(connection, _GUARD, json.dumps(dict(values)))


async def _each(
    connection: AsyncConnection, statements: tuple[str, ...], values: Mapping[str, int]
) -> None:
    for statement in statements:
        used = {name: value for name, value in values.items() if f":{name}" in statement}
        await connection.execute(text(statement), used)
