"""Notice trouble that nobody else tells operators of, by looking at the service now and then."""

import asyncio

import structlog

from core.accounts.alerts import ChatAlerts
from core.app.maintenance import Housekeeping
from core.runtime.tasks import outcome_of, wait_event
from core.service.readiness import ReadinessReader

log = structlog.get_logger(__name__)

LOOK_S = 15.0
_WATCHED = frozenset({"disk", "invariant"})  # kinds of trouble that lasts, and is seen to end


class AlertWatch:
    """Tells once when something begins to be wrong, and again when it does after it was well."""

    def __init__(
        self,
        alerts: ChatAlerts,
        readiness: ReadinessReader,
        housekeeping: Housekeeping,
        restarts: int,
    ) -> None:
        self._alerts = alerts
        self._readiness = readiness
        self._housekeeping = housekeeping
        self._restarts = restarts
        self._wrong: set[str] = set()
        self._trouble: str | None = None  # of the database, at the last look

    async def run(self, stop: asyncio.Event) -> None:
        """Look until ``stop`` is set."""
        await self._alerts.catch_up()  # of the process before this one
        if self._restarts:
            await self._alerts.send("restarted", {"count": self._restarts})
        while not await wait_event(stop, LOOK_S):
            looked = await outcome_of(self.look())
            if not looked.ok:
                log.error("alerts_not_looked", exc_info=looked.error)

    async def look(self) -> None:
        """Tell of what is wrong now and was not at the last look.

        Of a database that could not be written it tells afterwards: alerts are rows of it.
        """
        reading = (await self._readiness.read()).reading
        if reading.trouble is None and self._trouble is not None:
            await self._alerts.send("database", {"reason": self._trouble})
        self._trouble = reading.trouble
        free = reading.free_bytes or 0
        await self._tell("disk", {"free_bytes": free}, wrong=not reading.has_room)
        broken = self._housekeeping.violations
        await self._tell("invariant", {"count": broken}, wrong=broken > 0)
        await self._alerts.catch_up(_WATCHED - self._wrong)

    async def _tell(self, kind: str, data: dict[str, object], *, wrong: bool) -> None:
        if wrong and kind not in self._wrong:
            await self._alerts.send(kind, data)
        (self._wrong.add if wrong else self._wrong.discard)(kind)
