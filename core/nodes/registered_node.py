"""A process of several: its row says that it lives, the rows of others who else does."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TypeAlias

import structlog

from core.domain.nodes import ClusterNode, NodeId, NodeState, Pool, pools_of
from core.domain.time_units import DAY_MS
from core.runtime.clock import Clock
from core.runtime.tasks import outcome_of, wait_event
from core.storage import nodes as rows
from core.storage.database import Connection, Database

log = structlog.get_logger(__name__)

END_S = 1.0  # a database that takes longer is not told that this process ends
FORGOTTEN_MS = DAY_MS  # after so long without a sign a node is not shown any more
_TAKING = (NodeState.LOADING, NodeState.READY)
OldestProgram: TypeAlias = Callable[[Connection], Awaitable[int]]
Load: TypeAlias = tuple[str | None, str]  # the job on the device, the model files in its memory


@dataclass(frozen=True, slots=True)
class LifeRules:
    """Times of a node."""

    beat_s: float = 5.0
    silence_ms: int = 30_000  # who gave no sign for so long is taken for dead, as with a lease


class KnownNodes:
    """Implements :class:`core.interfaces.nodes.Nodes` for who only looks: a command."""

    alone = False

    def __init__(self, database: Database, me: ClusterNode, rules: LifeRules, clock: Clock) -> None:
        """Take the rows, and what this process is."""
        self._database = database
        self._me = me
        self._rules = rules
        self._clock = clock
        self._known: tuple[ClusterNode, ...] = ()

    @property
    def id(self) -> NodeId:
        """Return the id of this process."""
        return self._me.id

    @property
    def name(self) -> str:
        """Return what people call this process."""
        return self._me.name

    @property
    def pool(self) -> str:
        """Return the pool of this process."""
        return self._me.pool

    @property
    def state(self) -> NodeState:
        """Return how far this process is in its life."""
        return self._me.state

    def pools(self) -> tuple[Pool, ...]:
        """Return the known pools, those of the least memory first."""
        return pools_of(self._known, self._clock(), self._rules.silence_ms)

    def slots(self, pool: str) -> int:
        """Return how many nodes take the jobs of ``pool``; 1 where none does."""
        return max(1, sum(one.slots for one in self.pools() if one.name == pool))

    def others(self) -> tuple[ClusterNode, ...]:
        """Return the other nodes that live."""
        now, silence_ms = self._clock(), self._rules.silence_ms
        return tuple(
            one for one in self._known if one.id != self.id and one.is_alive(now, silence_ms)
        )

    async def look(self) -> None:
        """Read who is known."""
        async with self._database.snapshot() as connection:
            self._known = tuple(await rows.read_nodes(connection))

    async def enter(self, state: NodeState) -> None:
        """Do nothing: nobody knows of this process."""
        self._me = replace(self._me, state=state)

    async def run(self, stop: asyncio.Event) -> None:
        """Do nothing until ``stop`` is set."""
        await stop.wait()


class RegisteredNode(KnownNodes):
    """Implements :class:`core.interfaces.nodes.Nodes` by a row in the table of nodes."""

    def __init__(
        self,
        database: Database,
        me: ClusterNode,
        rules: LifeRules,
        clock: Clock,
        oldest_program: OldestProgram | None = None,
        before_us: NodeId | None = None,
    ) -> None:
        """Take the rows, and what this process is.

        ``oldest_program`` reads which schema a program has to know to go on; None: any goes on.
        ``before_us`` is a node that is known to be dead.
        """
        self.before_us = before_us
        super().__init__(database, me, rules, clock)
        self.load: Callable[[], Load] = lambda: (None, "")  # what it works on
        self._oldest_program = oldest_program

    async def register(self) -> None:
        """Write the row, and forget those that gave no sign for long.

        Raises:
            StorageUnavailable: the rows cannot be written.
        """
        now = self._clock()
        self._me = replace(self._me, beat_at_ms=now)
        async with self._database.transaction(turn=False) as connection:
            await rows.forget_gone(connection, now - FORGOTTEN_MS)
            if self.before_us is not None:
                await rows.forget_dead(connection, self.before_us)
            await rows.register(connection, self._me)
        await self.look()

    async def enter(self, state: NodeState) -> None:
        """Go on to ``state`` and tell everybody; a drain that somebody asked for stays.

        Where the rows cannot be written, the next sign of life tells it.
        """
        if self.state is not NodeState.DRAINING or state not in _TAKING:
            self._me = replace(self._me, state=state)
        await self._try_to_beat()

    async def beat(self) -> None:
        """Give a sign of life, hear whether to take no more jobs, and look who else lives.

        Raises:
            StorageUnavailable: the rows cannot be read or written.
        """
        job_id, resident = self.load()
        async with self._database.transaction(turn=False) as connection:
            state = await rows.note_life(
                connection, self.id, self.state, self._clock(), job_id, resident
            )
            oldest = await self._oldest_program(connection) if self._oldest_program else 0
            known = tuple(await rows.read_nodes(connection))
        self._known = known
        if state is None:  # taken for gone, and forgotten
            await self.register()
        elif state is NodeState.DRAINING and self.state in _TAKING:
            log.info("node_drained")
            self._me = replace(self._me, state=state)
        if oldest > self._me.schema and self.state in _TAKING:
            log.warning("node_too_old", schema=self._me.schema, needed=oldest)
            await self.enter(NodeState.DRAINING)

    async def run(self, stop: asyncio.Event) -> None:
        """Give signs of life until ``stop`` is set."""
        while not await wait_event(stop, self._rules.beat_s):
            await self._try_to_beat()

    async def _try_to_beat(self) -> None:
        given = await outcome_of(self.beat())
        if not given.ok:
            log.warning("node_beat_failed", reason=type(given.error).__name__)


@asynccontextmanager
async def living(node: RegisteredNode) -> AsyncGenerator[None]:
    """Be known as a node inside the block, from loading to gone.

    Raises:
        StorageUnavailable: the row cannot be written.
    """
    await node.register()
    stop = asyncio.Event()
    beats = asyncio.create_task(node.run(stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait({beats})
        await outcome_of(node.enter(NodeState.GONE), END_S, unwind_s=0.1)
