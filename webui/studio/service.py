"""Everything that the page, its API and its addresses ask of the core.

Runs on the core's loop; the web server reaches it through :class:`webui.studio.loop_bridge.Bridge`.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from core.domain.clip_preview import ClipPreview
from core.domain.fingerprints import fingerprint_of
from core.domain.jobs import Forecast, Job, JobState, ReplyTo, Ticket
from core.domain.limits import RequestLimits
from core.domain.media import Clip, MediaFile
from core.domain.modes import Mode
from core.domain.options import Options
from core.domain.requests import Request
from core.errors import JobUnknown, MediaGone, NothingToFetch
from core.i18n.messages import say
from core.service.front_services import FrontServices
from core.service.preview import RequestPreview
from core.service.views import ServiceHealth
from core.settings import Settings
from webui.auth.uploads import Uploads
from webui.auth.visitors import Visitor
from webui.studio.clip_sources import ClipSources
from webui.studio.delivery import reply_to_page
from webui.studio.endings import Ending, Endings, target_of
from webui.studio.gallery import StudioGallery
from webui.studio.job_actions import JobActions
from webui.studio.kept_forms import KeptForms
from webui.studio.operators import StudioOperators
from webui.studio.programs import ProgramJobs
from webui.studio.publishing import Publishing
from webui.studio.sent_files import SentFile, SentFiles
from webui.studio.service_lines import model_line, notice_line
from webui.studio.state_cache import StateCache
from webui.studio.styles import StudioStyles
from webui.views.errors import error_view
from webui.views.job_status import Moment
from webui.views.jobs import JobView, StateView, job_view, quota_line
from webui.zerogpu.request_context import RequestContexts

_LIVE = 6  # own waiting jobs that the page lists


class StudioService:
    """Takes what visitors ask for."""

    def __init__(
        self,
        services: FrontServices,
        uploads: Uploads,
        contexts: RequestContexts | None = None,
    ) -> None:
        """Take whose uploads are whose, and where the contexts of requests wait."""
        self._services = services
        self._users = services.users
        self.originals = services.users.originals
        self.endings = Endings(services)
        self.forms = KeptForms(services.state)
        self._actions = JobActions(services, self.endings)
        self._cache = StateCache(services)
        self.operators = StudioOperators(services)
        self.gallery = StudioGallery(services, self.endings)
        self.programs = ProgramJobs(services)
        self.publishing = Publishing(services)
        self.styles = StudioStyles(services)
        self.files = SentFiles(services.users.files, uploads)
        self.sources = ClipSources(services, self.files)
        self.contexts = contexts or RequestContexts()

    @property
    def settings(self) -> Settings:
        """Return the settings of the service."""
        return self._services.settings

    @property
    def drafts_only(self) -> bool:
        """Return whether clips are drawn, and no model is here."""
        return self._services.executor == "draft"

    @property
    def limits(self) -> RequestLimits:
        """Return the ranges of a request's values."""
        return self._users.limits

    @property
    def guided(self) -> bool:
        """Return whether a negative prompt acts here."""
        return self._services.guided

    def has_room(self, size_bytes: int) -> bool:
        """Return whether the disk takes ``size_bytes`` more."""
        return self._users.files.has_room(size_bytes)

    async def preview(
        self, mode: Mode, options: Options, paths: Mapping[str, SentFile], visitor: Visitor
    ) -> RequestPreview:
        """Preview a request that is not asked for yet.

        Raises:
            MediaRefused: a file cannot be used.
            IntakeClosed: the disk is nearly full.
        """
        media = await self.files.admit(mode, paths, visitor)
        return await self._users.preview(visitor.caller, mode, options, media)

    async def submit(
        self,
        mode: Mode,
        options: Options,
        paths: Mapping[str, SentFile],
        visitor: Visitor,
        key: str | None = None,
        reply_to: ReplyTo | None = None,
        check: Callable[[], Awaitable[None]] | None = None,
    ) -> Ticket:
        """Accept a request; ``paths`` are uploads, or bytes that came with the request itself.

        The end is told at ``reply_to``; the page, None, looks by itself. ``check`` is asked once
        the key is known to be new, and raises to refuse.

        Raises:
            InvalidInput: a value or file cannot work.
            Refused: quota, rules, block or a closed intake.
        """
        visitor.require_kept()
        asked = ""
        if key is not None:  # a repeated submission is answered before anything may refuse it
            contents = await self.files.digests(mode, paths, visitor)
            told_at = "" if reply_to is None else reply_to.address.get("url", "")
            asked = fingerprint_of(mode, options, contents, told_at)
            known = await self._users.known(visitor.caller, key, asked)
            if known is not None:
                return known
        if check is not None:
            await check()
        names = (key or f"studio:{uuid4().hex}", asked)
        reply_to = reply_to or reply_to_page()
        media = await self.files.admit(mode, paths, visitor)
        try:
            return await self._submit(mode, options, media, visitor, names, reply_to)
        except MediaGone:  # deleted since it was looked at; the upload may still be there
            media = await self.files.admit(mode, paths, visitor)
            return await self._submit(mode, options, media, visitor, names, reply_to)
        finally:
            await self.files.release_bytes(paths, media, visitor)

    async def _submit(
        self,
        mode: Mode,
        options: Options,
        media: Mapping[str, MediaFile],
        visitor: Visitor,
        key: tuple[str, str],
        reply_to: ReplyTo,
    ) -> Ticket:
        """Submit under a key and the fingerprint of what it stands for."""
        caller = visitor.caller
        composition = await self._users.compose(caller, mode, options, media)
        composition = replace(composition, fingerprint=key[1])
        return await self._users.submit(caller, composition, reply_to, key[0])

    async def act(
        self, job_id: str, action: str, visitor: Visitor, key: str = "", *, later: bool = False
    ) -> str:
        """Do what a button says (:meth:`webui.studio.job_actions.JobActions.act`)."""
        return await self._actions.act(job_id, action, visitor, key, later=later)

    async def follow_up(self, job_id: str, action: str, visitor: Visitor, key: str = "") -> Ticket:
        """Ask for what ``action`` makes of a job; see :class:`webui.studio.job_actions`."""
        return await self._actions.follow_up(job_id, action, visitor, key)

    async def drafts(self, job_id: str, visitor: Visitor) -> list[str]:
        """Return the ids of the drafts that a job was asked for with, its own among them.

        Raises:
            JobUnknown: no such job.
            NotYours: somebody else's.
        """
        job = await self._users.job(visitor.caller, job_id)
        return [one.id for one in await self._users.gallery.drafts(job)]

    async def last_frame(self, job_id: str, visitor: Visitor, folder: Path) -> Path:
        """Write the last frame of a finished clip into ``folder``.

        Raises:
            JobUnknown: no such job.
            NotYours: somebody else's.
            NothingToFetch: there is no clip, or not any more.
        """
        return await self._users.clips.last_frame(visitor.caller, job_id, folder)

    async def clip(self, job_id: str, visitor: Visitor) -> Clip:
        """Return the clip of a job of ``visitor``.

        Raises:
            JobUnknown: no such job.
            NotYours: somebody else's.
            NothingToFetch: there is no clip, or not any more.
        """
        return await self._users.clips.get(visitor.caller, job_id)

    async def preview_of(self, job_id: str, visitor: Visitor) -> ClipPreview:
        """Return the newest preview of a job that is being made, of ``visitor``.

        Raises:
            JobUnknown: no such job.
            NotYours: somebody else's.
            NothingToFetch: nothing to see yet, or not any more.
        """
        job = await self._users.job(visitor.caller, job_id)
        preview = self._services.latest_preview(job)
        if preview is None or job.state is not JobState.RUNNING:
            raise NothingToFetch(job_id)
        return preview

    async def link(
        self, job_id: str, visitor: Visitor, save_as: str, *, poster: bool
    ) -> str | None:
        """Return an address of the clip or poster of a job of ``visitor``, outside this node.

        Returns:
            None where files are read through this node.

        Raises:
            JobUnknown: no such job.
            NotYours: somebody else's.
            NothingToFetch: not finished.
        """
        if not self._users.clips.linkable:
            return None  # the job is looked at once, when the file is asked for
        return await self._users.clips.link(visitor.caller, job_id, save_as, poster=poster)

    async def job(self, job_id: str, visitor: Visitor) -> JobView:
        """Return one job of ``visitor``.

        Raises:
            JobUnknown: no such job.
            NotYours: somebody else's.
        """
        job = await self._users.job(visitor.caller, job_id)
        forecast = await self._users.forecast(visitor.caller, job_id)
        return self._view(job, forecast, self._services.clock())

    async def state(self, visitor: Visitor, job_id: str = "") -> StateView:
        """Return what the page shows; without ``job_id`` of the running or else the newest job."""
        state = await self._cache.state(visitor, job_id)
        standing, now = state.standing, self._services.clock()
        endings = self.endings.of(visitor)

        def view(job: Job) -> JobView:
            forecast = standing.queue.forecast(job.id, now)
            return self._view(job, forecast, now, endings.get(target_of(job)))

        counts = {"running": standing.counts.running, "waiting": standing.counts.waiting}
        return StateView(
            job=view(state.job) if state.job else None,
            mine=tuple(view(job) for job in standing.jobs[:_LIVE]),
            line=say("studio_line", counts),
            quota=quota_line(standing.quota),
            model=model_line(self._services, lent=bool(self.contexts.days_ms)),
            account=visitor.account,
            kept=visitor.kept,
            operator=self.operators.includes(visitor),
            missing=error_view(JobUnknown(job_id)) if job_id and not state.job else None,
            drafts=tuple(view(job) for job in state.drafts),
            newest=state.newest,
        )

    async def request_of(self, job_id: str, visitor: Visitor) -> Request:
        """Return what was asked for in a job of ``visitor``.

        Raises:
            JobUnknown: no such job.
            NotYours: somebody else's.
        """
        return (await self._users.job(visitor.caller, job_id)).request

    async def health(self) -> ServiceHealth:
        """Return how the service is; it says nothing about anybody."""
        return await self._services.health()

    async def figures(self) -> bytes:
        """Return the figures of the service, for Prometheus."""
        return await self._services.figures()

    def notice(self) -> str:
        """Return what everybody should know of this Studio; empty where there is nothing."""
        return notice_line(self._services)

    def _view(
        self, job: Job, forecast: Forecast | None, now: int, ending: Ending | None = None
    ) -> JobView:
        services, price = self._services, self._users.price
        progress, preview = services.latest_progress(job), services.latest_preview(job)
        known = (progress, forecast, now, self.limits, price, ending, preview)
        return job_view(job, Moment(*known, services.latest_prompt(job)))
