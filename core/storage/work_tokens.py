"""Tokens of the engine, each of which says to one worker that there may be work.

Every job that comes into line adds one in its own transaction, by a trigger (see revision 0012).
Here is added what went missing since.
"""

import hashlib

import sqlalchemy as sa

from core.storage.database import Database

ATTEMPT = "clapper:attempt"  # what they are called at the engine
_LONGEST_NAME = 40  # bytes, as in revision 0012
_MOST = 100  # of a pool; workers that begin leave one for the next
_OFFER = sa.text("SELECT clapper_top_up(:pool, 1)")
_TOP_UP = sa.text(
    "SELECT coalesce(sum(clapper_top_up(pool, :most)), 0)"
    " FROM (SELECT DISTINCT pool FROM job WHERE rank IS NOT NULL) AS waiting"
)


def queue_of(pool: str) -> str:
    """Return the engine's queue with the tokens of ``pool``; revision 0012 names it alike."""
    if len(pool.encode()) <= _LONGEST_NAME:
        return pool
    return hashlib.md5(pool.encode(), usedforsecurity=False).hexdigest()


class WorkTokens:
    """Adds tokens; only where the rows are on a server."""

    def __init__(self, database: Database) -> None:
        """Take the rows."""
        self._database = database

    async def offer(self, *pools: str) -> None:
        """See that there is a token for each of ``pools`` in which somebody waits."""
        for pool in pools:
            async with self._database.statement() as connection:
                await connection.execute(_OFFER, {"pool": pool})

    async def top_up(self) -> int:
        """Add tokens where there are fewer than jobs in line; return how many."""
        async with self._database.statement() as connection:
            return int((await connection.execute(_TOP_UP, {"most": _MOST})).scalar_one())
