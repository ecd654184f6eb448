"""The gallery of a caller: their finished jobs, and their stars."""

from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass

from core.domain.followups import Action
from core.domain.gallery import GalleryFilter
from core.domain.jobs import Job
from core.domain.people import Caller
from core.errors import JobUnknown, NotYours
from core.runtime.clock import now_ms
from core.service.follow_ups import MAKING
from core.service.user_services import UserServices
from core.storage.gallery import GalleryPage

MOST_CHILDREN = 24  # that are shown under a clip
# of somebody else's clip nothing is said, see `docs/adr/0054-captions-remixes-and-drafts.md`
_MADE_BY = tuple(action.value for action in (*MAKING, Action.EDIT))

OwnJob = Callable[[Caller, str], Awaitable[Job]]


@dataclass(frozen=True, slots=True)
class JobLineage:
    """What a job was made from, and what was made from it; all of it its owner's own."""

    parent: Job | None
    children: tuple[Job, ...]  # the newest, in the order in which they were asked for


class UserGallery:
    """Shows callers what is theirs, and nobody else's: an operator has no part in it."""

    def __init__(self, services: UserServices, own: OwnJob) -> None:
        """Take the parts, and what returns a job of a caller's own, or refuses."""
        self._gallery = services.gallery
        self._jobs = services.jobs
        self._owned = services.owned
        self._own = own

    async def page(
        self, caller: Caller, wanted: GalleryFilter, limit: int, before: int | None = None
    ) -> GalleryPage:
        """Return finished jobs of the caller on all their platforms, before number ``before``."""
        return await self._gallery.page(await self._owned.keys(caller), wanted, limit, before)

    async def drafts(self, job: Job) -> list[Job]:
        """Return the drafts that were asked for with a job which the caller was shown, in order.

        Itself is among them; there are none where it was asked for alone.
        """
        return [] if job.group is None else await self._jobs.drafts_of(job.group.id)

    async def starred(self, jobs: Collection[Job]) -> frozenset[str]:
        """Return the ids of those of these jobs, which the caller was shown, that have a star."""
        return await self._gallery.starred([job.id for job in jobs])

    async def star(self, caller: Caller, job_ids: Collection[str], *, on: bool) -> frozenset[str]:
        """Give jobs a star, or take it away; return those of them that are the caller's own."""
        owners = await self._owned.keys(caller)
        return await self._gallery.set_stars(owners, job_ids, now_ms(), on=on)

    async def lineage(self, caller: Caller, job_id: str) -> JobLineage:
        """Return what a job of the caller was made from, and what was made from it.

        Raises:
            JobUnknown: there is none, or it was deleted.
            NotYours: it belongs to somebody else.
        """
        job = await self._own(caller, job_id)
        parent = None
        if job.origin and job.origin.parent_id and job.origin.action in _MADE_BY:
            with suppress(JobUnknown, NotYours):  # deleted meanwhile, or never the caller's
                parent = await self._own(caller, job.origin.parent_id)
        owners = await self._owned.keys(caller)
        children = await self._gallery.children(owners, job_id, _MADE_BY, MOST_CHILDREN)
        return JobLineage(parent, tuple(children))

    async def own(self, caller: Caller, job_id: str) -> Job:
        """Return a job of the caller's own.

        Raises:
            JobUnknown: there is none, or it was deleted.
            NotYours: it belongs to somebody else.
        """
        return await self._own(caller, job_id)
