"""The only process at its rows: nobody has to be told of it."""

import asyncio
from collections.abc import Awaitable, Callable

from core.domain.nodes import DEFAULT_POOL, NodeDevice, NodeId, NodeState, Pool, new_node_id


class OneNode:
    """Implements :class:`core.interfaces.nodes.Nodes` for a process that is alone."""

    alone = True
    name = ""
    pool = DEFAULT_POOL

    def __init__(
        self, device: NodeDevice, slots: int, note_ending: Callable[[], Awaitable[None]]
    ) -> None:
        """Take the device, how many orders it takes, and what notes that the process ends."""
        self.id: NodeId = new_node_id()
        self.state = NodeState.LOADING
        self._pools = (Pool(DEFAULT_POOL, (device,), slots),)
        self._note_ending = note_ending

    def pools(self) -> tuple[Pool, ...]:
        """Return the one pool."""
        return self._pools

    def slots(self, pool: str) -> int:
        """Return how many orders are executed side by side."""
        del pool
        return self._pools[0].slots

    async def enter(self, state: NodeState) -> None:
        """Go on to ``state``; that the end is on purpose is noted for the next start."""
        self.state = state
        if state is NodeState.ENDING:
            await self._note_ending()

    async def run(self, stop: asyncio.Event) -> None:
        """Do nothing until ``stop`` is set."""
        await stop.wait()
