"""Which running jobs nobody works on any more, and whose fault that is.

Functions on a connection; :class:`core.queue.recovery.Recovery` owns the transactions.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from core.domain.jobs import RequeueReason
from core.domain.nodes import NodeId
from core.queue.transitions import ENDING
from core.storage import jobs as rows
from core.storage import nodes
from core.storage.database import Connection
from core.storage.records import StoredJob


@dataclass(frozen=True, slots=True)
class AbandonedJob:
    """A running job without a worker, and why it goes back in line."""

    row: StoredJob
    why: RequeueReason


class AbandonedJobs(Protocol):
    """Finds jobs without a worker."""

    def is_first(self) -> bool:
        """Tell whether nobody else serves these rows, so that a drain ends with this start."""
        ...

    async def at_start(self, connection: Connection, now: int) -> list[AbandonedJob]:
        """Return what was abandoned before this process began; what others run is theirs."""
        ...

    async def lapsed(self, connection: Connection, now: int) -> list[AbandonedJob]:
        """Return the jobs whose lease has ended."""
        ...


class AbandonedByProcess:
    """Implements :class:`AbandonedJobs` where one process at a time works on the rows."""

    def __init__(self, owned: Callable[[str], bool] = lambda _: False) -> None:
        """Take what tells whether an attempt at a job lives in this process."""
        self._owned = owned

    def is_first(self) -> bool:
        """Return True."""
        return True

    async def at_start(self, connection: Connection, now: int) -> list[AbandonedJob]:
        """Return every running job: no worker lives yet, so each has lost its own."""
        del now
        ended = await rows.read_setting(connection, ENDING) == "1"
        await rows.write_setting(connection, ENDING, "0")
        why = RequeueReason.STOPPED if ended else RequeueReason.DIED
        return [AbandonedJob(row, why) for row in await rows.running(connection, to_move=True)]

    async def lapsed(self, connection: Connection, now: int) -> list[AbandonedJob]:
        """Return the jobs whose lease has ended, but for those whose attempt lives here."""
        late = _late(await rows.running(connection, to_move=True), now)
        return [AbandonedJob(row, RequeueReason.LOST) for row in late if not self._owned(row.id)]


class AbandonedByNodes:
    """Implements :class:`AbandonedJobs` where several processes work on the rows."""

    def __init__(
        self,
        before_us: NodeId | None = None,
        others_serve: Callable[[], bool] = lambda: True,
        owned: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """Take the node that had this data directory before, and so is dead; None: nobody knows.

        ``others_serve`` tells whether people reach another node that lives, ``owned`` whether an
        attempt at a job lives in this process.
        """
        self._before_us = before_us
        self._others_serve = others_serve
        self._owned = owned

    def is_first(self) -> bool:
        """Tell whether nobody else serves these rows."""
        return not self._others_serve()

    async def at_start(self, connection: Connection, now: int) -> list[AbandonedJob]:
        """Return what the process before this one ran, and the jobs whose lease has ended."""
        running = await rows.running(connection, to_move=True)
        ours = [row for row in running if self._before_us and row.node_id == self._before_us]
        late = [row for row in _late(running, now) if row not in ours]
        found = await _with_reasons(connection, ours, RequeueReason.DIED)
        return found + await _with_reasons(connection, late, RequeueReason.LOST)

    async def lapsed(self, connection: Connection, now: int) -> list[AbandonedJob]:
        """Return the jobs whose lease has ended, but for those whose attempt lives here."""
        late = _late(await rows.running(connection, to_move=True), now)
        others = [row for row in late if not self._owned(row.id)]
        return await _with_reasons(connection, others, RequeueReason.LOST)


def _late(running: Iterable[StoredJob], now: int) -> list[StoredJob]:
    return [row for row in running if (row.lease_until_ms or 0) < now]


async def _with_reasons(
    connection: Connection, left: list[StoredJob], why: RequeueReason
) -> list[AbandonedJob]:
    """Blame a job for the loss of its node, unless that said before that it ends."""
    if not left:
        return []
    ids = {row.node_id for row in left if row.node_id}
    ended = await nodes.ended_on_purpose(connection, ids)
    return [
        AbandonedJob(row, RequeueReason.STOPPED if row.node_id in ended else why) for row in left
    ]
