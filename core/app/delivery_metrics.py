"""What became of deliveries since the process began, counted where it is written."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from prometheus_client import CollectorRegistry, Counter

from core.interfaces.delivery import Receipt
from core.storage.outbox import Outbox
from core.storage.owed_rows import DeliveryClaim

TellDead: TypeAlias = Callable[[], Awaitable[None]]


async def _nobody() -> None:
    pass


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
        self.on_dead: TellDead = _nobody  # after something was given up and an alert is owed

    async def sent(self, claim: DeliveryClaim, receipt: Receipt) -> bool:
        """Note that the platform took it."""
        noted = await super().sent(claim, receipt)
        if noted:
            self._sent.inc()
        return noted

    async def give_up_elsewhere(self, platform: str, here: str, before_ms: int) -> list[str]:
        """Give up what only machines can deliver that did not come back."""
        gone = await super().give_up_elsewhere(platform, here, before_ms)
        self._given_up.inc(len(gone))
        if gone:
            await self.on_dead()
        return gone

    async def dead(self, claim: DeliveryClaim, reason: str) -> bool:
        """Give up; the clip stays fetchable."""
        noted = await super().dead(claim, reason)
        if noted:
            self._given_up.inc()
            await self.on_dead()
        return noted
