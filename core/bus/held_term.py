"""A term that this node holds, by a clock of its own.

It ends here before it ends in the rows: somebody who cannot reach the database, or who was stopped
and goes on, does not know who holds it meanwhile.
"""

import asyncio
from collections.abc import Callable

MARGIN = 0.2  # part of a term by which it ends earlier here …
LONGEST_MARGIN_S = 2.0  # … but not by more


class HeldTerm:
    """Implements :class:`core.interfaces.terms.Term`."""

    def __init__(self, length_s: float, seconds: Callable[[], float]) -> None:
        """Take how long a term is, and a clock that goes on while this process is stopped."""
        self._length_s = length_s - min(MARGIN * length_s, LONGEST_MARGIN_S)
        self._seconds = seconds
        self._until_s = seconds()
        self._doubted = False
        self._wanted_until_s = self._until_s
        self._lost = asyncio.Event()
        self.ask = asyncio.Event()  # set where the rows are to be asked now

    @property
    def held(self) -> bool:
        """Tell whether it is ours at this moment."""
        return self.left_s > 0 and not self._doubted

    @property
    def left_s(self) -> float:
        """Return for how long it is still ours, in seconds; 0 where it is lost."""
        return 0.0 if self._lost.is_set() else max(0.0, self._until_s - self._seconds())

    @property
    def wanted(self) -> bool:
        """Tell whether another node said so lately; who waits says it again and again."""
        return self._seconds() < self._wanted_until_s

    def renewed(self, asked_s: float) -> None:
        """Note that the rows, asked at ``asked_s``, said that it is ours."""
        self._until_s = asked_s + self._length_s
        self._doubted = False

    def want(self) -> None:
        """Note that another node waits for it."""
        self._wanted_until_s = self._seconds() + self._length_s

    def doubt(self) -> None:
        """Hold it no more until the rows say that it is ours."""
        self._doubted = True
        self.ask.set()

    def lose(self) -> None:
        """End it for good."""
        self._lost.set()

    async def wait_lost(self) -> None:
        """Wait until it is not ours any more."""
        await self._lost.wait()
