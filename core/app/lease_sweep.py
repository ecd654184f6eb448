"""Take jobs from nodes that are gone, soon after their leases end."""

import asyncio
from collections.abc import Callable

import structlog

from core.queue.recovery import Recovery
from core.runtime.progress_hub import ProgressHub
from core.runtime.tasks import outcome_of, wait_event

log = structlog.get_logger(__name__)

EVERY_S = 2.0


class LeaseSweep:
    """Looks for lapsed leases, on the node that does the chores; several at a time do no harm."""

    def __init__(
        self,
        recovery: Recovery,
        hub: ProgressHub,
        on_change: Callable[[], None],
        every_s: float = EVERY_S,
    ) -> None:
        """Take who takes jobs back, who watches them, and whom to tell."""
        self._recovery = recovery
        self._hub = hub
        self._on_change = on_change
        self._every_s = every_s

    async def run(self, stop: asyncio.Event) -> None:
        """Look again and again until ``stop`` is set."""
        while not await wait_event(stop, self._every_s):
            swept = await outcome_of(self.look())
            if not swept.ok:
                log.warning("sweep_failed", reason=type(swept.error).__name__)

    async def look(self) -> int:
        """Take jobs whose lease has ended; return how many."""
        found = await self._recovery.sweep()
        for job_id in found.ended:
            self._hub.close(job_id)
        if found.taken:
            log.warning("jobs_taken_back", jobs=found.taken, failed=len(found.ended))
            self._on_change()
        return found.taken
