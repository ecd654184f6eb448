"""The newest lines of the log, kept in memory for who asks while the service runs."""

import asyncio
import logging
import re
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

KEPT_LINES = 2000
MOST_CHARACTERS = 4000  # of one line
_BEHIND = 1000  # lines that somebody who follows may be behind; older ones are left out
_STYLE = re.compile(r"\x1b\[[0-9;]*m")  # colours, where standard error is a terminal


class RecentLines(logging.Handler):
    """Keeps what its formatter made: already without secrets. Any thread may log."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: deque[str] = deque(maxlen=KEPT_LINES)
        self._followers: set[_Follower] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep ``record`` as text, and pass it on to who follows."""
        text = _STYLE.sub("", self.format(record))
        for line in text.splitlines():
            self._kept.append(line[:MOST_CHARACTERS])
            for follower in tuple(self._followers):
                follower.offer(line[:MOST_CHARACTERS])

    def newest(self, count: int) -> list[str]:
        """Return the newest ``count`` lines, oldest first."""
        return list(self._kept)[-count:] if count else []

    @contextmanager
    def followed(self) -> Iterator["asyncio.Queue[str]"]:
        """Give the queue of the lines that come from now on; on the event loop."""
        follower = _Follower(asyncio.get_running_loop())
        self._followers.add(follower)
        try:
            yield follower.lines
        finally:
            self._followers.discard(follower)


class _Follower:
    """Takes lines from any thread to one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.lines: asyncio.Queue[str] = asyncio.Queue(_BEHIND)

    def offer(self, line: str) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._take, line)

    def _take(self, line: str) -> None:
        if self.lines.full():
            self.lines.get_nowait()
        self.lines.put_nowait(line)
