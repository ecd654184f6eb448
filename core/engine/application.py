"""Open procrastinate's application, and keep its worker process at work through failures."""

import asyncio
import random
from typing import TYPE_CHECKING

import structlog

from core.runtime.tasks import outcome_of, wait_event
from core.storage.engine_connections import EngineConnections

if TYPE_CHECKING:
    from procrastinate import App
    from procrastinate.app import WorkerOptions

log = structlog.get_logger(__name__)

FIRST_WAIT_S, LONGEST_WAIT_S = 0.2, 5.0  # before a worker process that failed is started again
LIFE_S = 30.0  # a worker process without a sign of life for so long is gone
BEAT_S = 5.0
POOL_SIZE = 3  # one fetches, one ends, one beats


def application(connections: EngineConnections) -> "App":
    """Make an application of the engine; nothing is opened yet."""
    from procrastinate import App, PsycopgConnector

    return App(
        connector=PsycopgConnector(
            kwargs=connections.options(),
            configure=connections.configure,
            min_size=1,
            max_size=POOL_SIZE,
        )
    )


async def keep_working(app: "App", options: "WorkerOptions", stop: asyncio.Event) -> None:
    """Run a worker process of the engine until ``stop`` is set and its tasks have ended.

    One that fails, because the database did not answer, first ends what it runs; then another
    takes its place.
    """
    stopped = asyncio.create_task(stop.wait())
    clock, wait_s = asyncio.get_running_loop().time, FIRST_WAIT_S
    try:
        while not stop.is_set():
            began = clock()
            work = asyncio.create_task(_work(app, options, stop))
            await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                work.cancel()  # it ends its tasks first
            await asyncio.wait({work})
            if stop.is_set():
                _look_at(work)
                return
            log.warning("engine_interrupted", reason=_look_at(work))
            lasted = clock() - began > LONGEST_WAIT_S
            wait_s = FIRST_WAIT_S if lasted else min(wait_s * 2, LONGEST_WAIT_S)
            await wait_event(stop, wait_s * random.uniform(0.5, 1.5))  # noqa: S311  # not all at once
    finally:
        stopped.cancel()


async def _work(app: "App", options: "WorkerOptions", stop: asyncio.Event) -> None:
    try:
        await app.open_async()
        if not stop.is_set():  # asyncio.wait_for, which opens connections, may lose a cancel
            await app.run_worker_async(**options)
    finally:
        await outcome_of(app.close_async(), 1.0)


def _look_at(work: "asyncio.Task[None]") -> str:
    """Return what ended ``work``; looked at, or asyncio complains."""
    return "" if work.cancelled() else type(work.exception()).__name__
