"""How long the chores of housekeeping take."""

from prometheus_client import CollectorRegistry, Histogram

from core.app.maintenance import Housekeeping

_SECONDS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 120.0)


class TimedHousekeeping(Housekeeping):
    """Housekeeping whose chores are measured."""

    def measure_into(self, registry: CollectorRegistry) -> None:
        """Measure into ``registry``; once, before the first round."""
        self._took = Histogram(
            "clapper_housekeeping_seconds",
            "Of a chore",
            ["chore"],
            buckets=_SECONDS,
            registry=registry,
        )

    async def expire(self) -> int:
        """Expire as :class:`Housekeeping` does."""
        with self._took.labels("expire").time():
            return await super().expire()

    async def check(self) -> int:
        """Check as :class:`Housekeeping` does."""
        with self._took.labels("check").time():
            return await super().check()

    async def prune(self) -> int:
        """Prune as :class:`Housekeeping` does."""
        with self._took.labels("prune").time():
            return await super().prune()
