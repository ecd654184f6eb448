"""Changes that depend on nothing of each other, in one trip to a server."""

from typing import Any

from sqlalchemy import CursorResult
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import Delete, Insert, Update

Change = Insert | Update | Delete


class WriteBatch:
    """Statements of one transaction that are sent together.

    PostgreSQL takes them as one, whose parts all see the rows as they were before; a file, to which
    there is no trip, one after the other. So none may change a row that another one changes, nor
    read what another one writes.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._changes: list[Change] = []

    def add(self, *changes: Change) -> None:
        """Take ``changes`` in."""
        self._changes += changes

    async def send(
        self, connection: AsyncConnection, asked: Change | None = None
    ) -> CursorResult[Any]:
        """Make all changes, of which there is at least one.

        Returns:
            The result of ``asked``, which is one of them; of the last one without.
        """
        changes, self._changes = self._changes, []
        asked = changes[-1] if asked is None else asked
        others = [one for one in changes if one is not asked]
        if connection.dialect.name == "postgresql":
            with_them = (one.cte(f"also_{number}") for number, one in enumerate(others))
            return await connection.execute(asked.add_cte(*with_them))
        results = [await connection.execute(one) for one in changes]
        return results[next(place for place, one in enumerate(changes) if one is asked)]
