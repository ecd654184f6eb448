"""Everything that the page, its API and its addresses ask of the core.

Runs on the core's loop; the web server reaches it through :class:`webui.studio.loop_bridge.Bridge`.
"""

from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

from core.app.core import Core
from core.domain.followups import CONTINUES_AS, Action, again, longer, quality
from core.domain.jobs import Forecast, Job, Ticket
from core.domain.limits import RequestLimits
from core.domain.media import Clip, MediaFile, MediaKind
from core.domain.modes import MODES, Mode
from core.domain.requests import Options, Request
from core.errors import MediaGone, NotAChoice
from core.i18n.messages import say
from core.media.output.transcode import last_frame
from core.models.catalog import Profile
from core.models.setup import open_store
from core.runtime.clock import now_ms
from core.service.preview import Previewer, RequestPreview
from core.settings import Settings
from webui.auth.uploads import Uploads
from webui.auth.visitors import Visitor
from webui.studio.delivery import reply_to_page
from webui.studio.ownership import find, newest
from webui.studio.sent_files import SentFile, SentFiles
from webui.studio.state_cache import StateCache
from webui.views.jobs import HistoryView, JobView, Moment, StateView, job_view, quota_line
from webui.zerogpu.request_context import RequestContexts

PAGE = 12  # jobs on a page of the gallery
_LIVE = 6  # own waiting jobs that the page lists


class StudioService:
    """Takes what visitors ask for."""

    def __init__(
        self, core: Core, uploads: Uploads, contexts: RequestContexts | None = None
    ) -> None:
        """Take whose uploads are whose, and where the contexts of requests wait."""
        settings = core.settings
        self.core = core
        self.files = SentFiles(core.service, uploads, settings.retention_days)
        self.contexts = contexts or RequestContexts()
        self._cache = StateCache(core)
        self._previews = Previewer(
            core.service.limits,
            core.runs,
            open_store(settings).missing,
            Profile(settings.model_profile),
            core.executor.name,
        )

    @property
    def settings(self) -> Settings:
        """Return the settings of the service."""
        return self.core.settings

    @property
    def limits(self) -> RequestLimits:
        """Return the ranges of a request's values."""
        return self.core.service.limits

    async def preview(
        self, mode: Mode, options: Options, paths: Mapping[str, SentFile], visitor: Visitor
    ) -> RequestPreview:
        """Preview a request that is not asked for yet.

        Raises:
            MediaRefused: a file cannot be used.
            IntakeClosed: the disk is nearly full.
        """
        media = await self.files.admit(mode, paths, visitor)
        quota = await self.core.desk.quota(visitor.person)
        return await self._previews.preview(mode, options, media, quota)

    async def submit(
        self,
        mode: Mode,
        options: Options,
        paths: Mapping[str, SentFile],
        visitor: Visitor,
        key: str | None = None,
    ) -> Ticket:
        """Accept a request; ``paths`` are uploads, or bytes that came with the request itself.

        Raises:
            InvalidInput: a value or file cannot work.
            Refused: quota, rules, block or a closed intake.
        """
        visitor.require_kept()
        key = key or f"studio:{uuid4().hex}"
        media = await self.files.admit(mode, paths, visitor)
        try:
            return await self._ask(mode, options, media, visitor, key)
        except MediaGone:  # deleted since it was looked at; the upload may still be there
            media = await self.files.admit(mode, paths, visitor)
            return await self._ask(mode, options, media, visitor, key)
        finally:
            await self.files.release_bytes(paths, media, visitor)

    async def _ask(
        self,
        mode: Mode,
        options: Options,
        media: Mapping[str, MediaFile],
        visitor: Visitor,
        key: str,
    ) -> Ticket:
        return await self.core.desk.ask(mode, options, media, visitor.person, reply_to_page(), key)

    async def act(self, job_id: str, action: str, visitor: Visitor) -> str:
        """Do what a button under a job says; return the id of the job to look at.

        Raises:
            NotAChoice: there is no such button.
            JobUnknown: no such job.
            NotYours: somebody else's.
            Refused: quota, rules, block or a closed intake.
        """
        visitor.require_kept()
        job, person = await find(self.core.desk, job_id, visitor)
        match action:
            case Action.CANCEL:
                await self.core.desk.cancel(job_id, person)
                return job_id
            case Action.DELETE:
                await self.core.service.delete(job_id, job.requester)
                return ""
            case Action.AGAIN:
                request: Request = again(job.request)
            case Action.QUALITY:
                request = quality(job.request, self.limits)
            case Action.SMALLER:
                request = self._previews.smaller(job.request)
            case Action.LONGER:
                request = longer(job.request, await self._still(job_id, visitor))
            case _:
                choices = (Action.CANCEL, Action.AGAIN, Action.LONGER, Action.QUALITY)
                raise NotAChoice("action", action[:40], ", ".join(choices))
        ticket = await self.core.desk.repeat(
            request, visitor.person, reply_to_page(), f"studio:{uuid4().hex}"
        )
        return ticket.job_id

    async def _still(self, job_id: str, visitor: Visitor) -> MediaFile:
        """Return the last frame of a finished clip, admitted like an upload."""
        role = MODES[CONTINUES_AS].slots[0].role
        with self.core.service.workspace() as folder:
            still = await self.last_frame(job_id, visitor, folder)
            return await self.core.service.admit(still, role, MediaKind.IMAGE, visitor.requester)

    async def last_frame(self, job_id: str, visitor: Visitor, folder: Path) -> Path:
        """Write the last frame of a finished clip into ``folder``.

        Raises:
            JobUnknown: no such job.
            NotYours: somebody else's.
            NothingToFetch: there is no clip, or not any more.
        """
        clip = await self.clip(job_id, visitor)
        return await last_frame(clip.path, folder)

    async def clip(self, job_id: str, visitor: Visitor) -> Clip:
        """Return the clip of a job of ``visitor``.

        Raises:
            JobUnknown: no such job.
            NotYours: somebody else's.
            NothingToFetch: there is no clip, or not any more.
        """
        job, _ = await find(self.core.desk, job_id, visitor)
        return await self.core.service.clip(job_id, job.requester)

    async def job(self, job_id: str, visitor: Visitor) -> JobView:
        """Return one job of ``visitor``.

        Raises:
            JobUnknown: no such job.
            NotYours: somebody else's.
        """
        job, _ = await find(self.core.desk, job_id, visitor)
        forecast = None if job.state.terminal else await self.core.queue.forecast(job.id)
        return self._view(job, forecast, now_ms())

    async def state(self, visitor: Visitor, job_id: str = "") -> StateView:
        """Return what the page shows; without ``job_id`` of the running or else the newest job."""
        state = await self._cache.state(visitor, job_id)
        standing, now = state.standing, now_ms()

        def view(job: Job) -> JobView:
            return self._view(job, standing.line.forecast(job.id, now), now)

        counts = {"running": standing.counts.running, "waiting": standing.counts.waiting}
        return StateView(
            job=view(state.job) if state.job else None,
            mine=tuple(view(job) for job in standing.jobs[:_LIVE]),
            line=say("studio_line", counts),
            quota=quota_line(standing.quota),
            model=self.model(),
            account=visitor.account,
            kept=visitor.kept,
        )

    async def history(self, visitor: Visitor, before_ms: int | None = None) -> HistoryView:
        """Return a page of the visitor's jobs that are over, newest first."""
        jobs = await newest(self.core.desk, visitor, PAGE + 1, before_ms)
        shown = jobs[:PAGE]
        items = [job_view(job) for job in shown if job.state.terminal]
        more = shown[-1].created_at_ms if len(jobs) > PAGE else None
        return HistoryView(tuple(items), more)

    async def request_of(self, job_id: str, visitor: Visitor) -> Request:
        """Return what was asked for in a job of ``visitor``.

        Raises:
            JobUnknown: no such job.
            NotYours: somebody else's.
        """
        return (await find(self.core.desk, job_id, visitor))[0].request

    def model(self) -> str:
        """Return what makes the clips here."""
        if self.core.executor.name == "draft":
            return say("studio_model_draft")
        device = self.core.runs.place.device
        return say("studio_model", {"profile": self.settings.model_profile, "device": device})

    def _view(self, job: Job, forecast: Forecast | None, now: int) -> JobView:
        return job_view(job, Moment(self.core.hub.latest(job.id), forecast, now))
