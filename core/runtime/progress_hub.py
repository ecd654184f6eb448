"""Progress inside the process: published by the worker, watched by fronts, forwarded by the router.

The newest event replaces older ones; a slow watcher skips, nobody waits for it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import contextmanager

from core.domain.progress import Progress
from core.runtime.tasks import wait_event

Listener = Callable[[str, Progress], None]  # job id, event; never blocks


class Watcher:
    """One reader of one job's progress."""

    def __init__(self, latest: Progress | None) -> None:
        self._next = latest
        self._news = asyncio.Event()
        self._closed = False
        if latest is not None:
            self._news.set()

    def offer(self, event: Progress) -> None:
        """Replace what is read next."""
        self._next = event
        self._news.set()

    def close(self) -> None:
        """End the reading once the newest event was read."""
        self._closed = True
        self._news.set()

    @property
    def ended(self) -> bool:
        """Return whether nothing comes any more."""
        return self._closed and self._next is None

    async def read(self, timeout_s: float | None = None) -> Progress | None:
        """Return the newest unread event; None after ``timeout_s`` seconds or at the end."""
        await wait_event(self._news, timeout_s)
        event, self._next = self._next, None
        if not self._closed:
            self._news.clear()
        return event


class ProgressHub:
    """Fan-out of the newest progress event per job."""

    def __init__(self) -> None:
        self._latest: dict[str, Progress] = {}
        self._watchers: dict[str, set[Watcher]] = {}
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Call ``listener`` with every event of every job, from now on."""
        self._listeners.append(listener)

    def publish(self, job_id: str, event: Progress) -> None:
        """Tell everybody how far ``job_id`` is. Never blocks."""
        self._latest[job_id] = event
        for watcher in self._watchers.get(job_id, ()):
            watcher.offer(event)
        for listener in self._listeners:
            listener(job_id, event)

    def latest(self, job_id: str) -> Progress | None:
        """Return the newest event of a live job."""
        return self._latest.get(job_id)

    def close(self, job_id: str) -> None:
        """End all watching of ``job_id``: it reached a terminal state."""
        self._latest.pop(job_id, None)
        for watcher in self._watchers.get(job_id, ()):
            watcher.close()

    @contextmanager
    def subscribe(self, job_id: str) -> Generator[Watcher]:
        """Give a reader of ``job_id`` that begins with the newest event."""
        watcher = Watcher(self._latest.get(job_id))
        self._watchers.setdefault(job_id, set()).add(watcher)
        try:
            yield watcher
        finally:
            readers = self._watchers[job_id]
            readers.discard(watcher)
            if not readers:
                del self._watchers[job_id]

    async def watch(self, job_id: str) -> AsyncIterator[Progress]:
        """Yield the progress of ``job_id`` until it is closed, newest value only.

        A job that is terminal already is never closed again: ask the service, which looks at the
        row first.
        """
        with self.subscribe(job_id) as watcher:
            while not watcher.ended:
                event = await watcher.read()
                if event is not None:
                    yield event
