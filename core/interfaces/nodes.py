"""Who makes clips beside this process, as everybody else asks it."""

import asyncio
from typing import Protocol

from core.domain.nodes import NodeId, NodeState, Pool


class Nodes(Protocol):
    """The nodes at the same rows; one process alone is a form of it, a table of them another.

    What is asked is answered at once and from memory: it is as old as the last sign of life.
    """

    @property
    def id(self) -> NodeId:
        """Return the id of this process."""
        ...

    @property
    def name(self) -> str:
        """Return what people call this process; empty where nobody has to."""
        ...

    @property
    def pool(self) -> str:
        """Return the pool of this process."""
        ...

    @property
    def state(self) -> NodeState:
        """Return how far this process is in its life."""
        ...

    @property
    def alone(self) -> bool:
        """Tell whether no other process ever works on the same rows."""
        ...

    def pools(self) -> tuple[Pool, ...]:
        """Return the known pools, those of the least memory first; none: no worker ever came."""
        ...

    def slots(self, pool: str) -> int:
        """Return how many devices take the jobs of ``pool`` now; 1 where none does."""
        ...

    async def enter(self, state: NodeState) -> None:
        """Go on to ``state`` and tell everybody; a drain that somebody asked for stays."""
        ...

    async def run(self, stop: asyncio.Event) -> None:
        """Give signs of life, and look who else does, until ``stop`` is set."""
        ...
