"""Tells those who wait where they are: position and time to go, from the queue's own replay."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from core.domain.jobs import (
    waiting_of,
)
from core.queue.job_queue import JobQueue
from core.runtime.progress_hub import ProgressHub
from core.runtime.tasks import outcome_of, wait_event

log = structlog.get_logger(__name__)

LOOK_S = 3.0
SHOWN = 25  # the front of the line; who is further back hears of it when asking
MOVED = 0.2  # part of the time to go by which a forecast must move to be told again


@dataclass(frozen=True, slots=True)
class _Told:
    position: int
    ready_at_s: float  # on the crier's clock

    def still_holds(self, now: "_Told", at_s: float) -> bool:
        """Return whether ``now`` is not worth telling at ``at_s``."""
        moved = abs(now.ready_at_s - self.ready_at_s)
        return self.position == now.position and moved < MOVED * (now.ready_at_s - at_s)


class LineCrier:
    """Publishes a waiting job's position and forecast whenever one of them moved."""

    def __init__(
        self, queue: JobQueue, hub: ProgressHub, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        """Measure with ``seconds``, a clock that only goes forward."""
        self._queue = queue
        self._hub = hub
        self._clock = seconds
        self._told: dict[str, _Told] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Tell until ``stop`` is set."""
        while not await wait_event(stop, LOOK_S):
            told = await outcome_of(self.tell())
            if not told.ok:
                log.warning("line_not_told", exc_info=told.error)

    async def tell(self) -> None:
        """Publish what differs from what was published last; a forecast by a fifth of itself."""
        waiting = [job for job in await self._queue.line(SHOWN) if job.state.waiting]
        told: dict[str, _Told] = {}
        for job in waiting:
            forecast = await self._queue.forecast(job.id)
            if forecast is None or forecast.position == 0:
                continue
            at_s = self._clock()
            now, before = (
                _Told(forecast.position, at_s + forecast.ready_in_s),
                self._told.get(job.id),
            )
            if before is not None and before.still_holds(now, at_s):
                told[job.id] = before
                continue
            told[job.id] = now
            self._hub.publish(job.id, waiting_of(forecast))
        self._told = told
