"""The whole service with one front, as its tests start, stop and watch it."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Self

from core.app.bootstrap import open_core
from core.app.core import Core
from core.app.frontend import Front
from core.app.serve import front_services
from core.domain.jobs import Job, JobState
from core.media.output.provenance import read_provenance
from core.settings import Settings
from core.testing.doubles import QuickExecutor, eventually, running
from tests.support.databases import place_database_of

RETRY_S = 0.25  # instead of 2 s: what is tried again is the same, only sooner


class FrontService:
    """A service on its data, which may be stopped and started again, beside a local platform."""

    core: Core

    def __init__(self, front: Front, settings: Settings, executor: QuickExecutor) -> None:
        """Take what is started; nothing runs yet."""
        self.settings = settings
        self.executor = executor
        self._front = front
        self._serving: asyncio.Task[None] | None = None
        self._stack = AsyncExitStack()

    async def start(self) -> None:
        """Open the service on its data and wait until its front is ready."""
        place_database_of(self.settings)
        self.core = await self._stack.enter_async_context(open_core(self.settings, self.executor))
        router: Any = self.core.router
        router._rules = replace(
            router._rules, first_wait_s=RETRY_S, poll_s=RETRY_S
        )  # no setting: nobody but a test wants it
        await self._stack.enter_async_context(running(self.core))
        ready = asyncio.Event()
        self._serving = asyncio.create_task(self._front.run(front_services(self.core), ready.set))
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait({self._serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if self._serving.done():
            waiting.cancel()
            await self._serving

    async def stop(self) -> None:
        """Stop the service without finishing what runs."""
        if self._serving is not None:
            self._serving.cancel()
            await asyncio.gather(self._serving, return_exceptions=True)
            self._serving = None
        await self._stack.aclose()
        self._stack = AsyncExitStack()

    async def ended(self) -> None:
        """Return once the front ended by itself, or raise what it ended with."""
        assert self._serving is not None
        serving, self._serving = self._serving, None
        async with asyncio.timeout(30):
            await serving

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *details: object) -> None:
        await self.stop()

    async def in_state(self, state: JobState) -> Job:
        """Return the first live job that reaches ``state``."""
        found: list[Job] = []

        async def there() -> bool:
            live = await self.core.jobs.in_order()
            found[:] = [job for job in live if job.state is state]
            return bool(found)

        await eventually(there, 12)
        return found[0]


def job_of(video: bytes) -> str:
    """Return the job whose clip ``video`` is, as the clip itself says."""
    with NamedTemporaryFile(suffix=".mp4") as file:
        Path(file.name).write_bytes(video)
        provenance = read_provenance(Path(file.name))
    return provenance.job_id if provenance else ""
