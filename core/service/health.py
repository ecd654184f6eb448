"""Read the health of the service: numbers only, about nobody."""

from core.queue.job_queue import JobQueue
from core.service.views import ServiceHealth, ServiceRules


class HealthReader:
    """Looks at the queue and at the disk of the data directory."""

    def __init__(self, queue: JobQueue, rules: ServiceRules) -> None:
        self._queue = queue
        self._rules = rules

    async def read(self) -> ServiceHealth:
        """Return how full the queue is, whether jobs are accepted, and what the disk has left."""
        counts = await self._queue.counts()
        intake = await self._queue.intake()
        if intake == "open" and not self._rules.has_room():
            intake = "disk"
        rules = self._rules
        return ServiceHealth(
            intake, counts.running, counts.waiting, rules.data_dir, rules.free_bytes()
        )
