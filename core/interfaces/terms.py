"""The seam to what only one node at a time may do: hold a bot, do the chores of the service.

Who is alone may do everything at any time. Where several nodes work on the same rows, each such
thing has a term: it ends by itself, is renewed by who holds it, and then somebody else's begins.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

CHORES = "chores"  # of telling positions, and of taking jobs from nodes that are gone


class Term(Protocol):
    """The right to do one thing, for a while."""

    @property
    def held(self) -> bool:
        """Tell whether it is ours at this moment; ask right before each act.

        Nobody else holds it while this is True, whatever became of the network, and also where
        this process was stopped and goes on.
        """
        ...

    @property
    def wanted(self) -> bool:
        """Tell whether another node waits for it."""
        ...

    def doubt(self) -> None:
        """Hold it no more until the rows say that it is ours: somebody else seems to act."""
        ...

    async def wait_lost(self) -> None:
        """Wait until it is not ours any more, and will not be again."""
        ...


class Terms(Protocol):
    """All terms, as one node sees them."""

    def term(self, name: str) -> AbstractAsyncContextManager[Term]:
        """Wait until the term called ``name`` is ours, and give it back at the end of the block.

        Names are ``gateway:discord:<bot>``, ``polling:telegram:<bot>`` and :data:`CHORES`.
        """
        ...

    def hear(self, text: str) -> None:
        """Act upon what another node told of a term; with nothing, look at the rows."""
        ...


class OwnTerm:
    """Implements :class:`Term` where nobody else could hold it."""

    held = True
    wanted = False

    def doubt(self) -> None:
        """Do nothing: there is nobody else."""

    async def wait_lost(self) -> None:
        """Wait for ever."""
        await asyncio.Event().wait()


class OwnTerms:
    """Implements :class:`Terms` for a process that is alone at its rows."""

    @asynccontextmanager
    async def term(self, name: str) -> AsyncGenerator[Term]:
        """Give a term that is always ours, at once."""
        del name
        yield OwnTerm()

    def hear(self, text: str) -> None:
        """Do nothing: there is no other node."""
