"""What a visitor's page needs from the database, read again only after something was written.

Pages ask every second. Between two writes of anybody the rows are the same; progress and the clock,
which do move, are in memory.
"""

from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass

from core.domain.jobs import Job
from core.errors import JobUnknown, NotYours
from core.runtime.clock import now_ms
from core.service.front_services import FrontServices
from core.service.views import Standing
from webui.auth.visitors import Visitor

_KEPT = 1000  # pages
_AGE_MS = 10_000  # the window of a quota ends by time alone


@dataclass(frozen=True, slots=True)
class PageState:
    """The rows behind one page."""

    standing: Standing
    job: Job | None  # the one on the stage


class StateCache:
    """Remembers what every page was shown last."""

    def __init__(self, services: FrontServices) -> None:
        self._users = services.users
        self._version = services.version
        self._kept: OrderedDict[tuple[str, ...], tuple[tuple[int, int], PageState]] = OrderedDict()

    async def state(self, visitor: Visitor, job_id: str) -> PageState:
        """Return what is there now; without ``job_id`` with the running or else the newest job."""
        network = visitor.payer.network if visitor.payer else ""
        earlier = visitor.earlier.key if visitor.earlier else ""
        key = (visitor.requester.key, earlier, network, job_id)
        stamp = (self._version(), now_ms() // _AGE_MS)  # before reading
        at, known = self._kept.pop(key, (None, None))
        if known is None or at != stamp:
            known = await self._read(visitor, job_id)
        self._kept[key] = (stamp, known)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return known

    async def _read(self, visitor: Visitor, job_id: str) -> PageState:
        standing = await self._users.standing(visitor.caller)
        if job_id:
            live = (job for job in standing.jobs if job.id == job_id)
            job = next(live, None) or await self._other(visitor, job_id)
        else:
            found = standing.jobs or await self._users.jobs(visitor.caller, 1)
            job = found[0] if found else None
        return PageState(standing, job)

    async def _other(self, visitor: Visitor, job_id: str) -> Job | None:
        with suppress(JobUnknown, NotYours):
            return await self._users.job(visitor.caller, job_id)
        return None
