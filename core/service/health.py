"""Read the health of the service: numbers only, about nobody."""

import asyncio
from collections.abc import Callable

from core.errors.storage import StorageUnavailable
from core.queue.intake import Intake, IntakeSwitch
from core.runtime.tasks import TaskOutcome, outcome_of
from core.service.views import ServiceHealth, ServiceRules, told_intake
from core.storage.job_queries import JobQueries, QueueCounts

READ_S = 2.0  # who watches asks again soon, and gives up after a few seconds


class HealthReader:
    """Looks at the queue and at the disk of the data directory."""

    def __init__(
        self,
        jobs: JobQueries,
        intake: IntakeSwitch,
        rules: ServiceRules,
        device_lost: Callable[[], bool] = lambda: False,
    ) -> None:
        self._jobs = jobs
        self._intake = intake
        self._rules = rules
        self._reading: asyncio.Task[TaskOutcome[tuple[QueueCounts, Intake]]] | None = None
        self._device_lost = device_lost

    async def read(self) -> ServiceHealth:
        """Return how full the queue is, whether jobs are accepted, and what the disk has left.

        Raises:
            StorageUnavailable: the rows cannot be read, or not within :data:`READ_S`.
        """
        counts, switch = await self._rows()
        rules = self._rules
        intake = told_intake(switch, has_room=rules.has_room(), device_lost=self._device_lost())
        return ServiceHealth(
            intake, counts.running, counts.waiting, rules.data_dir, rules.free_bytes()
        )

    async def _rows(self) -> tuple[QueueCounts, Intake]:
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(outcome_of(self._read()))
        reading = self._reading  # one at a time, however often somebody asks meanwhile
        await asyncio.wait({reading}, timeout=READ_S)
        if not reading.done():
            raise StorageUnavailable("database_locked")
        outcome = reading.result()
        if outcome.error is not None:
            raise outcome.error
        if outcome.value is None:
            raise StorageUnavailable("database_locked")
        return outcome.value

    async def _read(self) -> tuple[QueueCounts, Intake]:
        return await self._jobs.counts(), await self._intake.intake()
