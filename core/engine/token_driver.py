"""Drive a worker by procrastinate: each token that it hands out is one attempt.

A token has no job. So a lost one costs a moment and one too many nothing, and neither a dead
worker nor a repeated task can lose a job or run it twice: that is decided by our rows alone.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import structlog

from core.engine.application import BEAT_S, LIFE_S, application, keep_working
from core.runtime.tasks import outcome_of, wait_event
from core.storage.engine_connections import EngineConnections
from core.storage.work_tokens import ATTEMPT, WorkTokens, queue_of
from core.worker.worker import Worker

if TYPE_CHECKING:
    from procrastinate.app import WorkerOptions

log = structlog.get_logger(__name__)

OF_A_DEVICE = 3  # attempts: one has it, one waits to claim for it, one is in the encoder
LAST_OFFER_S = 1.0


class TokenDriver:
    """Implements :class:`core.worker.driver.Driver` by a worker process of procrastinate."""

    def __init__(
        self,
        connections: EngineConnections,
        tokens: WorkTokens,
        pools: Callable[[], Sequence[str]],
        devices: int,
    ) -> None:
        """Take the way to the engine, and whose tokens to take for how many devices."""
        self._connections = connections
        self._tokens = tokens
        self._pools = pools
        self._devices = devices

    async def run(self, worker: Worker, stop: asyncio.Event) -> None:
        """Have ``worker`` make attempts until ``stop`` is set and what ran then is over."""
        app, queues = application(self._connections), self._queues()

        @app.task(name=ATTEMPT)
        async def attempt() -> None:  # pyright: ignore[reportUnusedFunction]  # by its name
            if worker.busy:  # while this token waits here, another device may be free
                await outcome_of(self._tokens.offer(*self._pools()))
            await worker.attempt()

        async with worker.session(stop):
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_look(worker, stop))
                tasks.create_task(self._follow(queues, worker.rules.poll_s, stop))
                await keep_working(app, self._options(worker, queues), stop)
            # tokens that were taken and did not claim any more
            await outcome_of(self._tokens.offer(*self._pools()), LAST_OFFER_S)

    def _queues(self) -> list[str]:
        return [queue_of(pool) for pool in self._pools()]

    async def _follow(self, queues: list[str], poll_s: float, stop: asyncio.Event) -> None:
        """Keep ``queues`` those of the pools that are known.

        The engine asks for tokens of what the list holds at that moment. It is woken for those of
        its start alone, so tokens of a new pool are found by the next poll.
        """
        while not await wait_event(stop, poll_s):
            known = self._queues()
            if known != queues:
                log.info("pools_changed", pools=len(known))
                queues[:] = known

    def _options(self, worker: Worker, queues: list[str]) -> "WorkerOptions":
        return {
            "queues": queues,
            "concurrency": OF_A_DEVICE * self._devices,
            "fetch_job_polling_interval": worker.rules.poll_s,
            "abort_job_polling_interval": worker.rules.heartbeat_s,
            "update_heartbeat_interval": BEAT_S,
            "stalled_worker_timeout": LIFE_S,
            "delete_jobs": "always",
            "install_signal_handlers": False,  # the grace of attempts is the worker's own
        }


async def _look(worker: Worker, stop: asyncio.Event) -> None:
    """Attempt without a token while the device is idle: one was lost, or another pool needs help.

    Its jobs have their tokens elsewhere.
    """
    while not await wait_event(stop, worker.rules.poll_s):
        while not worker.busy and await worker.attempt():
            pass
