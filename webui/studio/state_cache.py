"""What a visitor's page needs from the database, read again only after something was written.

Pages ask every second. Live jobs come from :mod:`core.queue.standing_watch`, which all pages share;
progress and the clock, which move meanwhile, are in memory.
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
_AGE_MS = 10_000  # a job that another process deleted is gone by then


@dataclass(frozen=True, slots=True)
class PageState:
    """The rows behind one page."""

    standing: Standing
    job: Job | None  # the one on the stage


class StateCache:
    """Remembers the finished job that every page was shown last."""

    def __init__(self, services: FrontServices) -> None:
        self._users = services.users
        self._version = services.version
        self._kept: OrderedDict[tuple[str, ...], tuple[tuple[int, int], Job | None]] = OrderedDict()

    async def state(self, visitor: Visitor, job_id: str) -> PageState:
        """Return what is there now; without ``job_id`` with the running or else the newest job."""
        standing = await self._users.standing(visitor.caller)
        live = (job for job in standing.jobs if job_id in {"", job.id})
        job = next(live, None) or await self._finished(visitor, job_id)
        return PageState(standing, job)

    async def _finished(self, visitor: Visitor, job_id: str) -> Job | None:
        earlier = visitor.earlier.key if visitor.earlier else ""
        key = (visitor.requester.key, earlier, job_id)
        stamp = (self._version(), now_ms() // _AGE_MS)  # before reading
        at, job = self._kept.pop(key, (None, None))
        if at != stamp:
            job = await self._read(visitor, job_id)
        self._kept[key] = (stamp, job)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return job

    async def _read(self, visitor: Visitor, job_id: str) -> Job | None:
        if not job_id:
            return next(iter(await self._users.jobs(visitor.caller, 1)), None)
        with suppress(JobUnknown, NotYours):
            return await self._users.job(visitor.caller, job_id)
        return None
