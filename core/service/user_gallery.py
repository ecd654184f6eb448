"""The gallery of a caller: their finished jobs, and their stars."""

from collections.abc import Awaitable, Callable, Collection

from core.domain.gallery import GalleryFilter
from core.domain.jobs import Job
from core.domain.people import Caller
from core.runtime.clock import now_ms
from core.service.ownership import Ownership
from core.storage.gallery import GalleryPage, GalleryQueries

OwnJob = Callable[[Caller, str], Awaitable[Job]]


class UserGallery:
    """Shows callers what is theirs, and nobody else's: an operator has no part in it."""

    def __init__(self, gallery: GalleryQueries, owned: Ownership, own: OwnJob) -> None:
        """Take what returns a job of a caller's own, or refuses."""
        self._gallery = gallery
        self._owned = owned
        self._own = own

    async def page(
        self, caller: Caller, wanted: GalleryFilter, limit: int, before: int | None = None
    ) -> GalleryPage:
        """Return finished jobs of the caller on all their platforms, before number ``before``."""
        return await self._gallery.page(await self._owned.keys(caller), wanted, limit, before)

    async def starred(self, jobs: Collection[Job]) -> frozenset[str]:
        """Return the ids of those of these jobs, which the caller was shown, that have a star."""
        return await self._gallery.starred([job.id for job in jobs])

    async def star(self, caller: Caller, job_id: str, *, on: bool) -> None:
        """Give a job of the caller a star, or take it away.

        Raises:
            JobUnknown: there is none, or it was deleted.
            NotYours: it belongs to somebody else.
        """
        job = await self._own(caller, job_id)
        await self._gallery.set_star(job.id, now_ms(), on=on)

    async def own(self, caller: Caller, job_id: str) -> Job:
        """Return a job of the caller's own.

        Raises:
            JobUnknown: there is none, or it was deleted.
            NotYours: it belongs to somebody else.
        """
        return await self._own(caller, job_id)
