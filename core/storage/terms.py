"""Take, renew and give back terms: rows that say which node may do what only one may.

Each function is one step that is right by itself, by the time of the database alone.
"""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from core.storage.cluster_tables import term
from core.storage.dialects import DatabaseTime, Notification, insert_into

TOPIC = "clapper_term"  # what is told: the name, and what became of it
RELEASED, WANTED = "released", "wanted"


@dataclass(frozen=True, slots=True)
class TermClaim:
    """One try of one node to hold a term."""

    name: str
    node: str
    token: str  # a new one each time


async def take(connection: AsyncConnection, claim: TermClaim, length_ms: int) -> int:
    """Take a term that is free or over; tell its holder that we wait where it is not.

    Returns:
        0 where it is ours for ``length_ms`` from now on, else the milliseconds until it would end.
    """
    now = DatabaseTime()
    values = {"node": claim.node, "token": claim.token, "until_ms": now + length_ms}
    taking = insert_into(connection.dialect.name, term).values(name=claim.name, **values)
    taking = taking.on_conflict_do_update(
        index_elements=["name"], set_=values, where=term.c.until_ms <= now
    ).returning(term.c.name)
    if (await connection.execute(taking)).first() is not None:
        return 0
    await _tell(connection, claim.name, WANTED)
    left = sa.select(term.c.until_ms - now).where(term.c.name == claim.name)
    return max(1, await connection.scalar(left) or 1)


async def renew(connection: AsyncConnection, claim: TermClaim, length_ms: int) -> bool:
    """Let a term last ``length_ms`` from now on; False where it is over, or somebody else's."""
    now = DatabaseTime()
    ours = sa.and_(_of(claim), term.c.until_ms > now)
    renewed = await connection.execute(sa.update(term).where(ours).values(until_ms=now + length_ms))
    return renewed.rowcount == 1


async def release(connection: AsyncConnection, claim: TermClaim) -> None:
    """Give a term back and tell those who wait; do nothing where somebody else holds it."""
    gone = await connection.execute(sa.delete(term).where(_of(claim)))
    if gone.rowcount:
        await _tell(connection, claim.name, RELEASED)


def _of(claim: TermClaim) -> sa.ColumnElement[bool]:
    return sa.and_(term.c.name == claim.name, term.c.token == claim.token)


async def _tell(connection: AsyncConnection, name: str, what: str) -> None:
    """Tell the other processes with this transaction: nothing is told of what was rolled back."""
    await connection.execute(sa.select(Notification(TOPIC, f"{what} {name}")))
