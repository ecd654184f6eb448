"""Tells those who wait where they are: position and time to go, from the queue's own replay."""

import asyncio

import structlog

from core.hub import ProgressHub
from core.progress import Waiting
from core.queue import JobQueue
from core.supervise import outcome_of, wait_event

log = structlog.get_logger(__name__)

LOOK_S = 3.0
SHOWN = 25  # the front of the line; who is further back hears of it when asking


class LineCrier:
    """Publishes a waiting job's position whenever it moved."""

    def __init__(self, queue: JobQueue, hub: ProgressHub) -> None:
        self._queue = queue
        self._hub = hub
        self._told: dict[str, int] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Tell until ``stop`` is set."""
        while not await wait_event(stop, LOOK_S):
            told = await outcome_of(self.tell())
            if not told.ok:
                log.warning("line_not_told", exc_info=told.error)

    async def tell(self) -> None:
        """Publish the positions that differ from what was published last."""
        waiting = [job for job in await self._queue.line(SHOWN) if job.state.waiting]
        told: dict[str, int] = {}
        for job in waiting:
            forecast = await self._queue.forecast(job.id)
            if forecast is None or forecast.position == 0:
                continue
            told[job.id] = forecast.position
            if self._told.get(job.id) != forecast.position:
                self._hub.publish(job.id, Waiting(forecast.position, forecast.ready_in_s))
        self._told = told
