"""The gallery of a visitor: pages of their jobs, stars, deleting and downloading many at once."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from core.domain.followups import Action
from core.domain.gallery import GalleryFilter
from core.domain.jobs import Job
from core.errors import ClapperError, JobUnknown, NothingToFetch, NotYours
from core.i18n.messages import SHORT_ID, say
from core.service.front_services import FrontServices
from webui.auth.visitors import Visitor
from webui.studio.clip_archive import ArchivedFile
from webui.studio.endings import Endings, target_of
from webui.studio.loop_bridge import Bridge
from webui.views.gallery import HistoryView, tile_view
from webui.views.job_status import Moment

PAGE = 12  # jobs
MOST_JOBS = 2000  # that one question names


class StudioGallery:
    """Answers for the gallery; everything in it is the visitor's own."""

    def __init__(self, services: FrontServices, endings: Endings) -> None:
        """Take the service, and what is being deleted and could be taken back."""
        self._users = services.users
        self._endings = endings

    async def page(
        self, visitor: Visitor, wanted: GalleryFilter, before: int | None
    ) -> HistoryView:
        """Return a page of the visitor's jobs that are over, newest first."""
        gallery = self._users.gallery
        page = await gallery.page(visitor.caller, wanted, PAGE, before)
        starred = await gallery.starred(page.jobs)
        ending = self._endings.of(visitor).items()
        leaving = {target for target, one in ending if one.action == Action.DELETE}
        shown = (job for job in page.jobs if target_of(job) not in leaving)
        moment = Moment(limits=self._users.limits, price=self._users.price)
        items = tuple(tile_view(job, moment, starred=job.id in starred) for job in shown)
        return HistoryView(items, page.before)

    async def star(self, visitor: Visitor, jobs: Sequence[str], *, on: bool) -> list[str]:
        """Give these jobs a star, or take it away; return those that are there."""
        done = await self._users.gallery.star(visitor.caller, jobs, on=on)
        return [job_id for job_id in dict.fromkeys(jobs) if job_id in done]

    async def delete(self, visitor: Visitor, jobs: Sequence[str]) -> list[str]:
        """Delete these jobs in a while, unless it is taken back; return those that will be gone.

        Drafts that were asked for together go together.
        """
        done: dict[str, None] = {}
        for job in await self.own(visitor, jobs):
            if job.id in done:
                continue
            with suppress(JobUnknown, NotYours):
                await self._endings.postpone(job.id, Action.DELETE, visitor)
                drafts = await self._users.gallery.drafts(job)
                done |= dict.fromkeys(one.id for one in (job, *drafts))
        return [*done]

    async def take_back(self, visitor: Visitor, jobs: Sequence[str]) -> list[str]:
        """Keep these jobs after all; return those that are still there."""
        done: list[str] = []
        for job in await self.own(visitor, jobs):
            with suppress(JobUnknown, NotYours):
                await self._endings.take_back(job.id, visitor)
                done.append(job.id)
        return done

    async def own(self, visitor: Visitor, jobs: Sequence[str]) -> list[Job]:
        """Return those of these jobs that are there and the visitor's own."""
        found: list[Job] = []
        for job_id in dict.fromkeys(jobs):
            try:
                found.append(await self._users.gallery.own(visitor.caller, job_id))
            except (JobUnknown, NotYours):
                continue
        return found

    async def has_clips(
        self, bridge: Bridge, visitor: Visitor, wanted: GalleryFilter, jobs: Sequence[str] | None
    ) -> bool:
        """Tell whether a download would have anything in it."""
        async for job in self._jobs(bridge, visitor, wanted, jobs):
            if job.clip is not None:
                return True
        return False

    async def files(
        self, bridge: Bridge, visitor: Visitor, wanted: GalleryFilter, jobs: Sequence[str] | None
    ) -> AsyncGenerator[ArchivedFile]:
        """Give the clips of these jobs, or of all that are ``wanted``, one after the other.

        What cannot be fetched just now is named in a text at the end.
        """
        missing: list[str] = []
        async for job in self._jobs(bridge, visitor, wanted, jobs):
            if job.clip is None:
                continue
            try:
                clip = await bridge.call(self._users.clips.get(visitor.caller, job.id))
            except (JobUnknown, NotYours, NothingToFetch):
                continue  # deleted meanwhile
            except ClapperError:
                missing.append(_name_of(job))
                continue
            yield ArchivedFile(_name_of(job), clip.path, job.created_at_ms)
        if missing:
            text = say("gallery_zip_missing", {"names": "\n".join(missing)})
            yield ArchivedFile("missing.txt", text.encode(), 0)

    async def _jobs(
        self, bridge: Bridge, visitor: Visitor, wanted: GalleryFilter, jobs: Sequence[str] | None
    ) -> AsyncGenerator[Job]:
        if jobs is not None:
            for job_id in dict.fromkeys(jobs):  # one by one: what is sent begins at once
                for job in await bridge.call(self.own(visitor, (job_id,))):
                    yield job
            return
        before: int | None = None
        while True:
            asked = self._users.gallery.page(visitor.caller, wanted, PAGE, before)
            page = await bridge.call(asked)
            for job in page.jobs:
                yield job
            if page.before is None:
                return
            before = page.before


def _name_of(job: Job) -> str:
    day = datetime.fromtimestamp(job.created_at_ms / 1000, UTC).strftime("%Y-%m-%d")
    return f"clapper-{day}-{job.mode_word}-{job.id[:SHORT_ID]}.mp4"
