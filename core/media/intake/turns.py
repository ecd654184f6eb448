"""Who may decode next: few children at once, and none of them for one requester alone."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from core.domain.media import MediaKind

_AT_ONCE = 3  # children; each may take the memory of the largest accepted file
_STREAMS = 2  # of them; what is left is for pictures, which take a second where films take a minute
_EACH = 1  # child of one requester for pictures, and one for sound and films


@dataclass(eq=False, slots=True)
class _Waiting:
    owner: str
    picture: bool
    turn: asyncio.Future[None] = field(default_factory=asyncio.Future[None])


class DecodingTurns:
    """Gives turns to the requester who had one the longest ago; first come, first served in each.

    Films of one requester, however many, hold one child: the next person's film starts at once, and
    a picture never waits for a film.
    """

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []
        self._running: Counter[tuple[str, bool]] = Counter()
        self._served: dict[str, int] = {}  # owner → the number of their last turn
        self._turns = 0

    @asynccontextmanager
    async def turn(self, owner: str, kind: MediaKind) -> AsyncGenerator[None]:
        """Wait until ``owner`` may decode a file of ``kind``, and hold that turn.

        Raises:
            CancelledError: the task was cancelled while it waited; others go on.
        """
        me = _Waiting(owner, kind is MediaKind.IMAGE)
        self._waiting.append(me)
        self._give()
        try:
            await me.turn
        except asyncio.CancelledError:
            if me in self._waiting:
                self._waiting.remove(me)
            else:
                self._end(me)
            raise
        try:
            yield
        finally:
            self._end(me)

    def _end(self, ended: _Waiting) -> None:
        self._running[ended.owner, ended.picture] -= 1
        self._running += Counter()  # forgets who has none
        if not any(one.owner == ended.owner for one in self._waiting):
            self._served.pop(ended.owner, None)
        self._give()

    def _give(self) -> None:
        """Start everybody who may, in the order of their turns."""
        while ready := [one for one in self._waiting if self._may(one)]:
            # min takes the first of equals, hence the one who came first
            one = min(ready, key=lambda waiting: self._served.get(waiting.owner, 0))
            self._waiting.remove(one)
            self._turns += 1
            self._served[one.owner] = self._turns
            self._running[one.owner, one.picture] += 1
            one.turn.set_result(None)

    def _may(self, one: _Waiting) -> bool:
        if one.turn.cancelled() or self._running[one.owner, one.picture] >= _EACH:
            return False
        streams = sum(count for (_, picture), count in self._running.items() if not picture)
        return self._running.total() < _AT_ONCE and (one.picture or streams < _STREAMS)
