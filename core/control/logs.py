"""The newest lines of the log, kept in memory for who asks while the service runs."""

import asyncio
import logging
import re
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import TextIO, cast

KEPT_LINES = 2000
MOST_CHARACTERS = 4000  # of one line
_BEHIND = 1000  # lines that somebody who follows may be behind; older ones are left out
_STYLE = re.compile(r"\x1b\[[0-9;]*m")  # colours, where standard error is a terminal


class RecentLines(logging.StreamHandler[TextIO]):
    """Keeps what its formatter made: already without secrets. Any thread may log."""

    def __init__(self) -> None:
        self._kept: deque[str] = deque(maxlen=KEPT_LINES)
        self._followers: set[_Follower] = set()
        super().__init__(cast("TextIO", self))  # what is written comes back to write()

    def write(self, text: str) -> int:
        """Keep ``text``, and pass it on to who follows."""
        for line in _STYLE.sub("", text).splitlines():
            self._kept.append(line[:MOST_CHARACTERS])
            for follower in tuple(self._followers):
                follower.offer(line[:MOST_CHARACTERS])
        return len(text)

    def flush(self) -> None:
        """Do nothing: nothing is held back."""

    def newest(self, count: int) -> list[str]:
        """Return the newest ``count`` lines, oldest first."""
        return list(self._kept.copy())[-count:] if count else []

    @contextmanager
    def followed(self) -> Generator["asyncio.Queue[str]"]:
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
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._take, line)

    def _take(self, line: str) -> None:
        if self.lines.full():
            self.lines.get_nowait()
        self.lines.put_nowait(line)
