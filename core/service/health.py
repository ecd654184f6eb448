"""Read the health of the service: numbers only, about nobody."""

from collections.abc import Callable

from core.queue.intake import IntakeSwitch
from core.service.views import ServiceHealth, ServiceRules
from core.storage.job_queries import JobQueries


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
        self._device_lost = device_lost

    async def read(self) -> ServiceHealth:
        """Return how full the queue is, whether jobs are accepted, and what the disk has left."""
        counts = await self._jobs.counts()
        intake = await self._intake.intake()
        if intake == "open" and not self._rules.has_room():
            intake = "disk"
        if self._device_lost():
            intake = "device"
        rules = self._rules
        return ServiceHealth(
            intake, counts.running, counts.waiting, rules.data_dir, rules.free_bytes()
        )
