"""What keeps a worker at work: it calls for one attempt after the other."""

import asyncio
from typing import Protocol

from core.runtime.notifier import LocalDispatcher
from core.worker.worker import Worker


class Driver(Protocol):
    """Has attempts made for as long as the service runs."""

    async def run(self, worker: Worker, stop: asyncio.Event) -> None:
        """Have ``worker`` make attempts until ``stop`` is set and what ran then is over."""
        ...


class LocalDriver:
    """Implements :class:`Driver` by a loop of this process, which looks at the rows itself."""

    def __init__(self, dispatcher: LocalDispatcher) -> None:
        """Take what tells that there may be something to claim."""
        self._dispatcher = dispatcher

    async def run(self, worker: Worker, stop: asyncio.Event) -> None:
        """Have ``worker`` make attempts until ``stop`` is set and what ran then is over."""
        async with worker.session(stop), asyncio.TaskGroup() as attempts:
            while not stop.is_set():
                claimed = await worker.claim()
                if claimed is not None:
                    attempts.create_task(worker.work(claimed))
                elif not stop.is_set():
                    await self._dispatcher.wait(worker.rules.poll_s)
