"""What became of deliveries since the process began, counted where it is written."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from prometheus_client import CollectorRegistry, Counter

from core.interfaces.delivery import Receipt
from core.storage.outbox import PLACE_ABSENT, Outbox
from core.storage.owed_rows import DeliveryClaim

TellDead: TypeAlias = Callable[[str, str], Awaitable[None]]  # of a job, and why


async def _nobody(job_id: str, reason: str) -> None:
    del job_id, reason


class CountedOutbox(Outbox):
    """The outbox that counts what was sent and given up, and tells of the latter."""

    def count_into(self, registry: CollectorRegistry) -> None:
        """Count in ``registry``; once, before anything is delivered."""
        self._sent = Counter(
            "clapper_deliveries_sent_total", "Results that arrived", registry=registry
        )
        self._given_up = Counter(
            "clapper_deliveries_dead_total", "Results that were given up", registry=registry
        )
        self.on_dead: TellDead = _nobody

    async def sent(self, claim: DeliveryClaim, receipt: Receipt) -> bool:
        """Note that the platform took it."""
        noted = await super().sent(claim, receipt)
        if noted:
            self._sent.inc()
        return noted

    async def give_up_elsewhere(self, platform: str, here: str, before_ms: int) -> list[str]:
        """Give up what only machines can deliver that did not come back."""
        gone = await super().give_up_elsewhere(platform, here, before_ms)
        for job_id in gone:
            self._given_up.inc()
            await self.on_dead(job_id, PLACE_ABSENT)
        return gone

    async def dead(self, claim: DeliveryClaim, reason: str) -> bool:
        """Give up; the clip stays fetchable."""
        noted = await super().dead(claim, reason)
        if noted:
            self._given_up.inc()
            await self.on_dead(claim.key, reason)
        return noted
