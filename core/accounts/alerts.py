"""Tell operators of trouble in their chat: through the notices, so that a restart loses none.

One alert of a kind an hour; what came between is counted, and told once the hour is over, unless
the trouble is over by then. What the database could not take is told once it can.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

import structlog

from core.accounts.notices import Notices
from core.domain.time_units import HOUR_MS
from core.runtime.tasks import outcome_of, run_shielded
from core.storage import accounts, alerts
from core.storage.alerts import AlertCounts
from core.storage.database import Connection, Database

log = structlog.get_logger(__name__)

__all__ = ["AlertCounts", "ChatAlerts"]

CODE = "alert_"  # begins the code of every such notice


@dataclass(frozen=True, slots=True)
class _Unkept:
    """What the database did not take: how many of a kind, and the data of the newest."""

    times: int
    data: Mapping[str, object]


class ChatAlerts:
    """Owes an alert to every operator whom the settings name, on the platform of their key."""

    def __init__(
        self,
        database: Database,
        now: Callable[[], int],
        operators: frozenset[str],
        notices: Notices,
        *,
        enabled: bool = True,
    ) -> None:
        """Take the database, the time (epoch ms), who is told, and who hands notices out."""
        self._database = database
        self._now = now
        self._operators = sorted(operators)
        self._notices = notices
        self._enabled = enabled
        self._unkept: dict[str, _Unkept] = {}  # by kind

    async def send(self, kind: str, data: Mapping[str, object]) -> None:
        """Tell the operators of trouble; returns soon and never raises.

        Args:
            kind: names the sentence ``alert_<kind>``; also what repeats are counted by.
            data: fills it; numbers and short texts, no prompts and no names of people.
        """
        _log(kind, data)
        if self._enabled:
            before = self._unkept.pop(kind, None)
            await self._keep(kind, _Unkept(1 + (before.times if before else 0), data))

    async def catch_up(self, well: Collection[str] = ()) -> None:
        """Tell what could not be told when it happened; returns soon and never raises.

        That is what the database did not take, what was written in the transaction of its cause,
        and what was swallowed an hour ago. ``well`` are kinds of trouble that is over: of those
        nothing more is told.
        """
        for kind, unkept in list(self._unkept.items()):
            del self._unkept[kind]
            if kind not in well:
                await self._keep(kind, unkept)
        done = await outcome_of(run_shielded(self._settle(well)))
        if done.error is not None:
            log.warning("alerts_not_told", exc_info=done.error)

    async def counts(self) -> dict[str, AlertCounts]:
        """Return what became of each kind so far."""
        async with self._database.snapshot() as connection:
            return await alerts.counts(connection)

    async def _keep(self, kind: str, new: _Unkept) -> None:
        kept = await outcome_of(run_shielded(self._owe(kind, new)))
        if kept.error is not None:
            log.warning("alert_not_kept", kind=kind, exc_info=kept.error)
            since = self._unkept.get(kind)
            self._unkept[kind] = replace(new, times=new.times + (since.times if since else 0))

    async def _owe(self, kind: str, new: _Unkept) -> None:
        async with self._database.transaction() as connection:
            told = await self._count(connection, kind, new)
        if told:
            self._notices.wake()

    async def _settle(self, well: Collection[str]) -> None:
        """Tell what is owed and due; nothing is written where nothing is."""
        now = self._now()
        async with self._database.snapshot() as connection:
            owed, counts = await alerts.owed(connection), await alerts.counts(connection)
        held = [kind for kind, one in counts.items() if one.held is not None]
        held = [kind for kind in held if kind in well or not _is_quiet(counts[kind], now)]
        if not owed and not held:
            return
        told = False
        async with self._database.transaction() as connection:
            for name, one in (await alerts.owed(connection)).items():
                await alerts.settle(connection, name, now)
                if one is not None and self._enabled:
                    _log(one.kind, one.data)
                    told |= await self._count(connection, one.kind, _Unkept(1, one.data))
            for kind in held:
                told |= await self._tell_held(connection, kind, over=kind in well)
        if told:
            self._notices.wake()

    async def _count(self, connection: Connection, kind: str, new: _Unkept) -> bool:
        """Count alerts of a kind; return whether one of them is told now."""
        now, before = self._now(), await alerts.read(connection, kind)
        total, since = before.total + new.times, before.swallowed + new.times
        if _is_quiet(before, now):
            texts = {name: str(value) for name, value in new.data.items()}
            after = AlertCounts(total, since, before.sent_at_ms, texts)
        else:
            after = AlertCounts(total, 0, now)
            await self._tell(connection, kind, new.data, since - 1)
        await alerts.write(connection, kind, after, now)
        return after.swallowed == 0

    async def _tell_held(self, connection: Connection, kind: str, *, over: bool) -> bool:
        """Tell the newest that was swallowed once its hour is over; return whether it is told."""
        now, before = self._now(), await alerts.read(connection, kind)
        if before.held is None or (not over and _is_quiet(before, now)):
            return False
        after = replace(before, held=None)
        if not over:
            after = AlertCounts(before.total, 0, now)
            await self._tell(connection, kind, before.held, max(0, before.swallowed - 1))
        await alerts.write(connection, kind, after, now)
        return not over

    async def _tell(
        self, connection: Connection, kind: str, data: Mapping[str, object], swallowed: int
    ) -> None:
        texts = {name: str(value) for name, value in {**data, "swallowed": swallowed}.items()}
        for key in self._operators:
            await accounts.add_notice(connection, key, CODE + kind, texts, self._now())


def _is_quiet(before: AlertCounts, now: int) -> bool:
    """Tell whether the last one was less than an hour ago.

    A clock that was set back must not keep operators from being told for longer.
    """
    return 0 <= now - before.sent_at_ms < HOUR_MS


def _log(kind: str, data: Mapping[str, object]) -> None:
    log.error("operator_alert", kind=kind, **{f"alert_{name}": data[name] for name in data})
