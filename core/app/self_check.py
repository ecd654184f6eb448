"""Look for rows that contradict each other, slice by slice, beside everything else."""

import structlog

from core.storage.database import Database
from core.storage.invariants import SOURCES, Key, Violation, check_slice

log = structlog.get_logger(__name__)

SLICE = 100  # rows; a slice takes a few milliseconds, in which nobody can submit
TOLD = 20  # findings that are logged one by one


async def contradictions(database: Database) -> list[Violation]:
    """Return what contradicts itself; nobody waits, and no server is held up, for all of it."""
    found: list[Violation] = []
    for source in SOURCES:
        after: Key | None = None
        while True:
            async with database.snapshot() as connection:
                after, broken = await check_slice(connection, source, after, SLICE)
            found += broken
            if after is None:
                break
    return found


class SelfCheck:
    """Goes through all tables; each row is seen once, as it is when its turn comes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def check(self) -> list[Violation]:
        """Return what contradicts itself, and log it."""
        found = await contradictions(self._database)
        for violation in found[:TOLD]:
            log.error("invariant_broken", violation=str(violation), all=len(found))
        return found
