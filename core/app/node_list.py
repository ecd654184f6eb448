"""Look at the nodes, and drain them, beside whoever runs."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from core.app.clock_choice import clock_of
from core.app.joining import life_rules
from core.domain.nodes import ClusterNode
from core.errors.nodes import NodeNeedsServer, NodeUnknown
from core.runtime.clock import Clock, now_ms
from core.settings import Settings
from core.storage import nodes as rows
from core.storage.addresses import is_postgres
from core.storage.database import Database, open_database
from core.storage.lock import DirectoryHold


@dataclass(frozen=True, slots=True)
class SeenNode:
    """A node that is there, and how long ago it gave a sign of life."""

    node: ClusterNode
    age_s: float
    alive: bool  # else it fell silent without a word, and its jobs were taken


async def list_nodes(settings: Settings) -> list[SeenNode] | None:
    """Return the nodes that have not ended; None where one process does everything.

    Raises:
        SetupProblem: the database cannot be used.
    """
    if not is_postgres(settings.database):
        return None
    silence_ms = life_rules(settings).silence_ms
    async with _beside(settings) as (database, clock), database.snapshot() as connection:
        found, now = await rows.read_nodes(connection), clock()
    seen = [SeenNode(one, (now - one.beat_at_ms) / 1000, one.is_alive(now, silence_ms))
            for one in found]  # fmt: skip
    return [one for one in seen if one.alive or one.node.state != "gone"]


async def drain_nodes(settings: Settings, name: str) -> int:
    """Let the workers called ``name`` take no more jobs; return how many they are.

    Raises:
        NodeNeedsServer: one process does everything.
        NodeUnknown: none of that name lives that takes jobs.
        SetupProblem: the database cannot be used.
    """
    if not is_postgres(settings.database):
        raise NodeNeedsServer("clapper nodes drain")
    silence_ms = life_rules(settings).silence_ms
    async with (
        _beside(settings) as (database, clock),
        database.transaction(turn=False) as connection,
    ):
        drained = await rows.drain(connection, name, clock() - silence_ms)
    if not drained:
        raise NodeUnknown(name)
    return len(drained)


@asynccontextmanager
async def _beside(settings: Settings) -> AsyncGenerator[tuple[Database, Clock]]:
    async with (
        open_database(
            settings.database,
            settings.data_dir,
            now_ms,
            insecure=settings.database_insecure,
            hold=DirectoryHold.NOT,
        ) as database,
        clock_of(settings, database) as clock,
    ):
        yield database, clock
