"""Alerts: what became of those of each kind, and those that are owed and not counted yet.

What has to be told is written in the transaction in which it happens, so that no crash comes
between. Functions on a connection.
"""

from dataclasses import asdict, dataclass
from uuid import uuid4

from core.domain.decoding import UndecodableError, decode
from core.storage import moderation
from core.storage.database import Connection

_COUNTS, _OWED = "alerts", "alerts-owed"  # how they are called among what is remembered


@dataclass(frozen=True, slots=True)
class AlertCounts:
    """What became of the alerts of one kind; ``sent_at_ms`` is epoch, 0 before the first."""

    total: int = 0
    swallowed: int = 0  # since the last one that was sent
    sent_at_ms: int = 0
    held: dict[str, str] | None = None  # data of the newest that was swallowed and is still owed


@dataclass(frozen=True, slots=True)
class OwedAlert:
    """An alert that somebody owes; ``data`` fills its sentence."""

    kind: str
    data: dict[str, str]


async def owe(connection: Connection, kind: str, data: dict[str, str], now: int) -> None:
    """Owe an alert; whoever counts them takes it."""
    value = asdict(OwedAlert(kind, data))
    await moderation.remember(connection, _OWED, uuid4().hex, value, now)


async def owed(connection: Connection) -> dict[str, OwedAlert | None]:
    """Read what is owed by name, the oldest first; None where another version wrote it."""
    kept = await moderation.recall_all(connection, _OWED)
    return {name: _owed(value) for name, value in kept.items()}


async def settle(connection: Connection, name: str, now: int) -> None:
    """Note that what is owed under ``name`` was taken."""
    await moderation.remember(connection, _OWED, name, None, now)


async def counts(connection: Connection) -> dict[str, AlertCounts]:
    """Read what became of each kind so far."""
    kept = await moderation.recall_all(connection, _COUNTS)
    return {kind: _counts(value) for kind, value in kept.items()}


async def read(connection: Connection, kind: str) -> AlertCounts:
    """Read what became of a kind so far."""
    return _counts(await moderation.recall(connection, _COUNTS, kind))


async def write(connection: Connection, kind: str, after: AlertCounts, now: int) -> None:
    """Keep what became of a kind."""
    await moderation.remember(connection, _COUNTS, kind, asdict(after), now)


def _owed(kept: object) -> OwedAlert | None:
    try:
        return decode(OwedAlert, kept)
    except UndecodableError:
        return None


def _counts(kept: object) -> AlertCounts:
    """Read stored counts; what another version wrote and this one cannot read begins anew."""
    try:
        return decode(AlertCounts, kept or {})
    except UndecodableError:
        return AlertCounts()
