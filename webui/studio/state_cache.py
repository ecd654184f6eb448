"""What a visitor's page needs from the database, read again only after something was written.

Pages ask every second. Between two writes of anybody the rows are the same; progress and the clock,
which do move, are in memory.
"""

from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass

from core.app.core import Core
from core.domain.jobs import Job
from core.errors import JobUnknown, NotYours
from core.queue.forecasts import Standing
from core.runtime.clock import now_ms
from webui.auth.visitors import Visitor
from webui.studio.ownership import find, newest, standing_of

_KEPT = 1000  # looks
_AGE_MS = 10_000  # the window of a quota ends by time alone


@dataclass(frozen=True, slots=True)
class Seen:
    """The rows behind one page."""

    standing: Standing
    job: Job | None  # the one on the stage


class Looks:
    """Remembers the last look of every page."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._kept: OrderedDict[tuple[str, ...], tuple[tuple[int, int], Seen]] = OrderedDict()

    async def look(self, visitor: Visitor, job_id: str) -> Seen:
        """Return what is there now; without ``job_id`` with the running or else the newest job."""
        network = visitor.payer.network if visitor.payer else ""
        key = (*(person.requester.key for person in visitor.persons), network, job_id)
        stamp = (self._core.database.version, now_ms() // _AGE_MS)  # before reading
        at, seen = self._kept.pop(key, (None, None))
        if seen is None or at != stamp:
            seen = await self._read(visitor, job_id)
        self._kept[key] = (stamp, seen)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return seen

    async def _read(self, visitor: Visitor, job_id: str) -> Seen:
        standing = await standing_of(self._core, visitor)
        if job_id:
            live = (job for job in standing.jobs if job.id == job_id)
            return Seen(standing, next(live, None) or await self._other(visitor, job_id))
        found = standing.jobs or await newest(self._core.desk, visitor, 1)
        return Seen(standing, found[0] if found else None)

    async def _other(self, visitor: Visitor, job_id: str) -> Job | None:
        with suppress(JobUnknown, NotYours):
            return (await find(self._core.desk, job_id, visitor))[0]
        return None
