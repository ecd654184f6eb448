"""What a visitor's page needs from the database, read again only after something was written.

Pages ask every second. Live jobs come from :mod:`core.queue.standing_watch`, which all pages share;
progress and the clock, which move meanwhile, are in memory.
"""

from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from core.domain.jobs import Job
from core.errors import JobUnknown, NotYours
from core.runtime.clock import now_ms
from core.service.front_services import FrontServices
from core.service.views import Standing
from webui.auth.visitors import Visitor

K = TypeVar("K")
V = TypeVar("V")
Stamp = tuple[int, int]

_KEPT = 1000  # pages
_AGE_MS = 10_000  # a job that another process deleted is gone by then


@dataclass(frozen=True, slots=True)
class PageState:
    """The rows behind one page."""

    standing: Standing
    job: Job | None  # the one on the stage
    drafts: tuple[Job, ...] = ()  # asked for together with it, in their order
    newest: int = 0  # number of the newest live job or else of the newest, wherever it came from


class StateCache:
    """Remembers the finished job that every page was shown last."""

    def __init__(self, services: FrontServices) -> None:
        self._users = services.users
        self._version = services.version
        self._kept: OrderedDict[tuple[str, ...], tuple[Stamp, Job | None]] = OrderedDict()
        self._drafts: OrderedDict[str, tuple[Stamp, tuple[Job, ...]]] = OrderedDict()  # by group

    async def state(self, visitor: Visitor, job_id: str) -> PageState:
        """Return what is there now; without ``job_id`` with the running or else the newest job."""
        standing = await self._users.standing(visitor.caller)
        live = (job for job in standing.jobs if job_id in {"", job.id})
        job = next(live, None) or await self._finished(visitor, job_id)
        known = standing.jobs or [await self._finished(visitor, "")]
        newest = max((one.number for one in known if one is not None), default=0)
        return PageState(standing, job, await self._drafts_with(job), newest)

    async def _finished(self, visitor: Visitor, job_id: str) -> Job | None:
        earlier = visitor.earlier.key if visitor.earlier else ""
        key = (visitor.requester.key, earlier, job_id)
        stamp = self._stamp()
        at, job = self._kept.pop(key, (None, None))
        if at != stamp:
            job = await self._read(visitor, job_id)
        _keep(self._kept, key, (stamp, job))
        return job

    async def _drafts_with(self, job: Job | None) -> tuple[Job, ...]:
        if job is None or job.group is None:
            return ()
        stamp = self._stamp()
        at, drafts = self._drafts.pop(job.group.id, (None, ()))
        if at != stamp:
            drafts = tuple(await self._users.gallery.drafts(job))
        _keep(self._drafts, job.group.id, (stamp, drafts))
        return drafts

    def _stamp(self) -> Stamp:
        """Return what changes once rows may differ; taken before they are read."""
        return self._version(), now_ms() // _AGE_MS

    async def _read(self, visitor: Visitor, job_id: str) -> Job | None:
        if not job_id:
            return next(iter(await self._users.jobs(visitor.caller, 1)), None)
        with suppress(JobUnknown, NotYours):
            return await self._users.job(visitor.caller, job_id)
        return None


def _keep(kept: OrderedDict[K, V], key: K, value: V) -> None:
    kept[key] = value
    while len(kept) > _KEPT:
        kept.popitem(last=False)
