"""Tell operators of trouble in their chat: through the notices, so that a restart loses none.

One alert of a kind an hour; what came between is counted and told with the next one.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

import structlog

from core.accounts.notices import Notices
from core.domain.decoding import UndecodableError, decode
from core.domain.time_units import HOUR_MS
from core.runtime.tasks import outcome_of, run_shielded
from core.storage import accounts, moderation
from core.storage.database import Connection, Database

log = structlog.get_logger(__name__)

CODE = "alert_"  # begins the code of every such notice
_MEMORY = "alerts"  # how the counts are called among what is remembered


@dataclass(frozen=True, slots=True)
class AlertCounts:
    """What became of the alerts of one kind; ``sent_at_ms`` is epoch, 0 before the first."""

    total: int = 0
    swallowed: int = 0  # since the last one that was sent
    sent_at_ms: int = 0


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

    async def send(self, kind: str, data: Mapping[str, object]) -> None:
        """Tell the operators of trouble; returns soon and never raises.

        Args:
            kind: names the sentence ``alert_<kind>``; also what repeats are counted by.
            data: fills it; numbers and short texts, no prompts and no names of people.
        """
        facts = {f"alert_{name}": value for name, value in data.items()}
        log.error("operator_alert", kind=kind, **facts)
        if not self._enabled:
            return
        owed = await outcome_of(run_shielded(self._owe(kind, data)))
        if owed.error is not None:
            log.warning("alert_not_kept", kind=kind, exc_info=owed.error)

    async def counts(self) -> dict[str, AlertCounts]:
        """Return what became of each kind so far."""
        async with self._database.snapshot() as connection:
            kept = await moderation.recall_all(connection, _MEMORY)
        return {kind: _read(value) for kind, value in kept.items()}

    async def _owe(self, kind: str, data: Mapping[str, object]) -> None:
        now = self._now()
        async with self._database.transaction() as connection:
            before = _read(await moderation.recall(connection, _MEMORY, kind))
            # a clock that was set back must not keep operators from being told for longer
            quiet = 0 <= now - before.sent_at_ms < HOUR_MS
            if quiet:
                counts = AlertCounts(before.total + 1, before.swallowed + 1, before.sent_at_ms)
            else:
                counts = AlertCounts(before.total + 1, 0, now)
                await self._tell(connection, kind, data, before.swallowed)
            await moderation.remember(connection, _MEMORY, kind, asdict(counts), now)
        if not quiet:
            self._notices.wake()

    async def _tell(
        self, connection: Connection, kind: str, data: Mapping[str, object], swallowed: int
    ) -> None:
        texts = {name: str(value) for name, value in {**data, "swallowed": swallowed}.items()}
        for key in self._operators:
            await accounts.add_notice(connection, key, CODE + kind, texts, self._now())


def _read(kept: object) -> AlertCounts:
    """Read stored counts; what another version wrote and this one cannot read begins anew."""
    try:
        return decode(AlertCounts, kept or {})
    except UndecodableError:
        return AlertCounts()
