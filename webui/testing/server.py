"""The shipped double of a browser's or program's surroundings: a Studio that serves for a test."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from core.app.bootstrap import open_core
from core.app.core import Core
from core.app.serve import front_services
from core.interfaces.executor import Executor
from core.settings import Settings
from core.testing.doubles import running
from webui.front import StudioFront
from webui.zerogpu.request_context import RequestContexts


@dataclass(frozen=True, slots=True)
class ServedStudio:
    """A running Studio and the core behind it."""

    url: str
    core: Core


@asynccontextmanager
async def served(
    settings: Settings,
    executor: Executor | None = None,
    contexts: RequestContexts | None = None,
) -> AsyncGenerator[ServedStudio]:
    """Serve the Studio on a free port inside the block, as ``clapper serve`` would.

    Args:
        settings: of the whole service; the port is chosen here unless they name one.
        executor: to use instead of the one that the settings choose.
        contexts: in whose name the executor borrows its GPUs, where it does.

    Yields:
        Its address and its core, which works.
    """
    async with open_core(settings, executor) as core, running(core):
        front, ready = StudioFront(contexts), asyncio.Event()
        serving = asyncio.create_task(front.run(front_services(core), ready.set))
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            waiting.cancel()
            serving.result()
        try:
            yield ServedStudio(front.url.rstrip("/"), core)
        finally:
            serving.cancel()
            await asyncio.wait({serving})
