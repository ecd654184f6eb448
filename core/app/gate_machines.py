"""Rented machines as nodes among the others: the front that they call keeps them known."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from time import monotonic

from core.app.core import Core
from core.app.joining import claimant_of, life_rules
from core.domain.nodes import ClusterNode, NodeDevice, NodeRole, NodeState, new_node_id
from core.gate.wire import RentedMachine
from core.interfaces.work_queue import WorkQueue
from core.nodes.registered_node import RegisteredNode
from core.queue.claims import Claimant
from core.storage.gate_nodes import GateNode
from core.storage.migration_files import POSTGRESQL, newest_of, read_migrations


@dataclass(slots=True)
class _KnownMachine:
    told: RentedMachine
    node: RegisteredNode
    queue: WorkQueue
    beat_s: float


class GateMachines:
    """Implements :class:`core.gate.calls.Machines` over the table of nodes."""

    def __init__(self, core: Core) -> None:
        """Take the core of this front."""
        self._core = core
        self._clock = core.queue.clock
        self._every_s = core.settings.worker.heartbeat_s
        self._known: dict[str, _KnownMachine] = {}  # by the digest of their token

    async def seen(self, node: GateNode, machine: RentedMachine | None = None) -> WorkQueue:
        """Give a sign of life for ``node`` where the last is old, and return its queue."""
        if self._core.nodes.alone:  # one process does everything else, and there is one line
            return self._core.queue
        known = self._known.get(node.digest)
        if machine is not None and (known is None or known.told != machine):
            known = self._known[node.digest] = await self._registered(node, machine)
        if known is None:  # this front started anew; the next claim says what the machine is
            return self._core.queue
        if monotonic() - known.beat_s >= self._every_s:
            known.beat_s = monotonic()
            await known.node.beat()
        return known.queue

    async def _registered(self, node: GateNode, machine: RentedMachine) -> _KnownMachine:
        now = self._clock()
        me = ClusterNode(
            id=new_node_id(),
            name=node.name,
            role=NodeRole.WORKER,
            pool=machine.pool,
            device=NodeDevice(machine.device, machine.profile, machine.pin, machine.vram_bytes),
            version=machine.version,
            schema=newest_of(read_migrations(dialect=POSTGRESQL)),
            format=machine.format,
            state=NodeState.READY,
            started_at_ms=now,
            beat_at_ms=now,
        )
        registered = RegisteredNode(
            self._core.database, me, life_rules(self._core.settings), self._clock
        )
        await registered.register()
        queue = self._core.queue.for_node(_reading(claimant_of(registered), machine.format))
        return _KnownMachine(machine, registered, queue, monotonic())


def _reading(claimant: Callable[[], Claimant], newest: int) -> Callable[[], Claimant]:
    """Let only requests be claimed that the machine can read."""
    return partial(_claimant, claimant, newest)


def _claimant(claimant: Callable[[], Claimant], newest: int) -> Claimant:
    found = claimant()
    return replace(found, lines=replace(found.lines, format=newest) if found.lines else None)
