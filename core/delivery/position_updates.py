"""Publish the position and forecast of the jobs at the front of the line, whenever they change."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from core.domain.jobs import waiting_range
from core.queue.forecasts import Forecasts
from core.runtime.progress_hub import ProgressHub
from core.runtime.tasks import outcome_of, wait_event
from core.storage.job_queries import JobQueries

log = structlog.get_logger(__name__)

LOOK_S = 3.0
SHOWN = 25  # the front of the queue; who is further back sees it when asking
MOVED = 0.2  # part of the time to go by which a forecast must move to be published again


@dataclass(frozen=True, slots=True)
class _PublishedPosition:
    position: int
    ready_at_s: float  # on the publisher's clock

    def still_holds(self, now: "_PublishedPosition", at_s: float) -> bool:
        """Say whether ``now`` is not worth publishing at ``at_s``."""
        moved = abs(now.ready_at_s - self.ready_at_s)
        return self.position == now.position and moved < MOVED * (now.ready_at_s - at_s)


class PositionPublisher:
    """Publishes the position and forecast of a waiting job whenever one of them moved."""

    def __init__(
        self,
        jobs: JobQueries,
        forecasts: Forecasts,
        hub: ProgressHub,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        """Measure with ``seconds``, a clock that only goes forward."""
        self._jobs = jobs
        self._forecasts = forecasts
        self._hub = hub
        self._clock = seconds
        self._published: dict[str, _PublishedPosition] = {}
        self._spoken: set[str] = set()  # jobs with news since the line was last read
        hub.listen(lambda job_id, _: self._spoken.add(job_id))

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until ``stop`` is set."""
        while not await wait_event(stop, LOOK_S):
            done = await outcome_of(self.publish())
            if not done.ok:
                log.warning("positions_not_published", exc_info=done.error)

    async def publish(self) -> None:
        """Publish each position that changed, and each forecast that moved by a fifth of itself.

        A job that started while the line was read is not told that it waits: nothing would put
        that right until its next step.
        """
        self._spoken.clear()
        waiting = [job for job in await self._jobs.in_order(SHOWN) if job.state.waiting]
        published: dict[str, _PublishedPosition] = {}
        for job in waiting:
            forecast = await self._forecasts.forecast(job.id)
            if forecast is None or forecast.position == 0 or job.id in self._spoken:
                continue
            at_s = self._clock()
            now, before = (
                _PublishedPosition(forecast.position, at_s + forecast.ready_in_s),
                self._published.get(job.id),
            )
            if before is not None and before.still_holds(now, at_s):
                published[job.id] = before
                continue
            published[job.id] = now
            self._hub.publish(job.id, waiting_range(forecast), job.attempt)
        self._published = published
