"""Rows about who may use the bots. Functions on a connection; the callers own the transaction."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from core.storage.dialects import upsert
from core.storage.tables import INTEGER, METADATA

access = sa.Table(
    "access",
    METADATA,
    sa.Column("entry", sa.Text, primary_key=True),  # core.domain.access.AccessEntry.key
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),  # how the platform calls them; empty: unknown
    sa.Column("place", sa.Text, nullable=False),  # from where they asked
    sa.Column("at_ms", INTEGER, nullable=False),  # epoch; of the newest change
    sa.Column("decided_by", sa.Text, nullable=False),  # a requester's key; empty: nobody yet
)


class AccessState(StrEnum):
    """What became of an entry."""

    ASKED = "asked"
    ALLOWED = "allowed"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class AccessRow:
    """Somebody, or everybody of something, and what was decided; times are epoch milliseconds."""

    entry: str
    state: AccessState
    name: str = ""
    place: str = ""
    at_ms: int = 0
    decided_by: str = ""


async def load(connection: AsyncConnection, entry: str) -> AccessRow | None:
    """Read one entry, None where nothing is known of it."""
    row = (await connection.execute(sa.select(access).where(access.c.entry == entry))).first()
    return None if row is None else _of(row)


async def save(connection: AsyncConnection, row: AccessRow) -> None:
    """Write one entry."""
    values = {
        "entry": row.entry,
        "state": row.state.value,
        "name": row.name,
        "place": row.place,
        "at_ms": row.at_ms,
        "decided_by": row.decided_by,
    }
    await upsert(connection, access, [values])


async def remove(connection: AsyncConnection, entry: str) -> None:
    """Drop one entry."""
    await connection.execute(sa.delete(access).where(access.c.entry == entry))


async def in_state(connection: AsyncConnection, state: AccessState) -> list[AccessRow]:
    """Read the entries in a state, the oldest first."""
    query = sa.select(access).where(access.c.state == state.value)
    found = await connection.execute(query.order_by(access.c.at_ms, access.c.entry))
    return [_of(row) for row in found]


async def count(connection: AsyncConnection, state: AccessState) -> int:
    """Count the entries in a state."""
    query = sa.select(sa.func.count()).select_from(access).where(access.c.state == state.value)
    return await connection.scalar(query) or 0


async def any_allowed(connection: AsyncConnection, entries: Iterable[str]) -> bool:
    """Tell whether one of ``entries`` was allowed."""
    allowed = access.c.state == AccessState.ALLOWED.value
    query = sa.select(access.c.entry).where(access.c.entry.in_(list(entries)), allowed).limit(1)
    return await connection.scalar(query) is not None


async def forget(connection: AsyncConnection, entry: str) -> None:
    """Drop what somebody asked for, and their name where something was decided."""
    asked = access.c.state == AccessState.ASKED.value
    await connection.execute(sa.delete(access).where(access.c.entry == entry, asked))
    blank = {"name": "", "place": ""}
    await connection.execute(sa.update(access).where(access.c.entry == entry).values(blank))


async def rename(connection: AsyncConnection, old: str, new: str) -> None:
    """Let what was decided of a place follow it to its new name, unless that has its own."""
    taken = sa.select(access.c.entry).where(access.c.entry == new).exists()
    query = sa.update(access).where(access.c.entry == old, ~taken)
    await connection.execute(query.values(entry=new))


def _of(row: sa.Row[tuple[str, str, str, str, int, str]]) -> AccessRow:
    known = row.state in set(AccessState)
    state = AccessState(row.state) if known else AccessState.DENIED  # of another version
    return AccessRow(row.entry, state, row.name, row.place, row.at_ms, row.decided_by)
