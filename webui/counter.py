"""The Studio's own counter: everything the page, its API and its addresses ask of the core.

Runs on the core's loop; the web server reaches it through :class:`webui.bridge.Bridge`.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4
from weakref import WeakValueDictionary

from core.actions import CONTINUES_AS, Action, again, longer, quality
from core.bootstrap import Core
from core.clock import now_ms
from core.compose import Options
from core.errors import ClapperError, NotAChoice, NothingFits, QuotaExceeded
from core.jobs import Forecast, Job, QuotaView, Ticket
from core.media.fit import last_frame
from core.media.kinds import Clip, MediaFile, MediaKind
from core.messages import say
from core.modes import MODES, Mode
from core.requests import Request
from core.service import GenerationService
from webui.belongings import find, newest
from webui.delivery import reply_to_page
from webui.errors import smaller
from webui.looks import Looks
from webui.people import Visitor
from webui.uploads import Uploads
from webui.views import HistoryView, JobView, Moment, StateView, job_view, quota_line
from webui.visits import Visits

PAGE = 12  # jobs on a page of the gallery
_LIVE = 6  # own waiting jobs that the page lists


class StudioCounter:
    """Takes what visitors ask for."""

    def __init__(self, core: Core, uploads: Uploads, visits: Visits | None = None) -> None:
        self.core = core
        self.uploads = uploads
        self.visits = visits or Visits()
        self._looks = Looks(core)
        # of guests: their limit is checked here
        self._spending: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @property
    def service(self) -> GenerationService:
        """Return the front door of the core."""
        return self.core.service

    async def media(
        self, mode: Mode, paths: Mapping[str, str | None], visitor: Visitor
    ) -> dict[str, MediaFile]:
        """Admit the uploads that ``mode`` uses, each file once.

        Raises:
            MediaRefused: one cannot be used.
            IntakeClosed: the disk is nearly full.
        """
        found: dict[str, MediaFile] = {}
        for slot in MODES[mode].slots:
            if path := paths.get(slot.role):
                found[slot.role] = await self._admit(path, slot.role, slot.kind, visitor)
        return found

    async def _admit(self, path: str, role: str, kind: MediaKind, visitor: Visitor) -> MediaFile:
        source = self.uploads.require(path, role, visitor.requester)
        known = self.uploads.taken(source, kind)
        if known is None or isinstance(known, ClapperError):
            known = await self.service.admit(source, role, kind)
            self.uploads.take(source, kind, known)
        return known

    async def submit(
        self,
        mode: Mode,
        options: Options,
        paths: Mapping[str, str | None],
        visitor: Visitor,
        key: str | None = None,
    ) -> Ticket:
        """Accept a request.

        Raises:
            InvalidInput: a value or file cannot work.
            Refused: quota, rules, block or a closed intake.
        """
        visitor.require_kept()
        media = await self.media(mode, paths, visitor)
        composition = self.service.compose(mode, options, media)
        async with self._allowance(visitor, composition.request):
            return await self.core.desk.ask(
                mode,
                replace(options, seed=composition.request.sampling.seed),
                media,
                visitor.person,
                reply_to_page(),
                key or f"studio:{uuid4().hex}",
            )

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
                await self.service.delete(job_id, job.requester)
                return ""
            case Action.AGAIN:
                request: Request = again(job.request)
            case Action.QUALITY:
                request = quality(job.request, self.service.limits)
            case "smaller":
                request = self._smaller(job.request)
            case Action.LONGER:
                request = longer(job.request, await self._still(job_id, visitor))
            case _:
                choices = (Action.CANCEL, Action.AGAIN, Action.LONGER, Action.QUALITY)
                raise NotAChoice("action", action[:40], ", ".join(choices))
        async with self._allowance(visitor, request):
            ticket = await self.core.desk.repeat(
                request, visitor.person, reply_to_page(), f"studio:{uuid4().hex}"
            )
        return ticket.job_id

    def _smaller(self, request: Request) -> Request:
        """Return ``request`` with about half of its work.

        Raises:
            NothingFits: it is the smallest already.
        """
        machine = self.core.runs.machine
        found = smaller(request, machine, self.service.limits)
        if found is None or found == request:
            cost = self.service.estimate(request).gpu_ms
            raise NothingFits(cost, cost // 2)
        return found

    async def _still(self, job_id: str, visitor: Visitor) -> MediaFile:
        """Return the last frame of a finished clip, admitted like an upload."""
        role = MODES[CONTINUES_AS].slots[0].role
        with TemporaryDirectory() as folder:
            still = await self.last_frame(job_id, visitor, Path(folder))
            return await self.service.admit(still, role, MediaKind.IMAGE)

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
        return await self.service.clip(job_id, job.requester)

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
        seen = await self._looks.look(visitor, job_id)
        standing, now = seen.standing, now_ms()

        def view(job: Job) -> JobView:
            return self._view(job, standing.line.forecast(job.id, now), now)

        counts = {"running": standing.counts.running, "waiting": standing.counts.waiting}
        return StateView(
            job=view(seen.job) if seen.job else None,
            mine=tuple(view(job) for job in standing.jobs[:_LIVE]),
            line=say("studio_line", counts),
            quota=quota_line(self._granted(standing.quota, visitor)),
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

    async def quota(self, visitor: Visitor) -> QuotaView:
        """Return what ``visitor`` may still spend: for guests the smaller allowance."""
        return self._granted(await self.core.desk.quota(visitor.person), visitor)

    def _granted(self, view: QuotaView, visitor: Visitor) -> QuotaView:
        if visitor.limit_ms is None:
            return view
        usual = round(self.core.settings.quota_minutes * 60_000)
        granted = max(0, view.limit_ms - usual)
        return replace(view, limit_ms=min(view.limit_ms, visitor.limit_ms + granted))

    def model(self) -> str:
        """Return what makes the clips here."""
        settings = self.core.settings
        if self.core.executor.name == "draft":
            return say("studio_model_draft")
        device = self.core.runs.place.device
        return say("studio_model", {"profile": settings.model_profile, "device": device})

    @asynccontextmanager
    async def _allowance(self, visitor: Visitor, request: Request) -> AsyncGenerator[None]:
        """Hold a guest's spending while a request is accepted, so that two cannot pass at once.

        Raises:
            QuotaExceeded: the request costs more than the guest has left.
        """
        if visitor.limit_ms is None:
            yield
            return
        key = visitor.requester.key
        lock = self._spending.get(key) or self._spending.setdefault(key, asyncio.Lock())
        async with lock:
            cost = self.service.estimate(request).gpu_ms
            view = await self.quota(visitor)
            if cost > view.left_ms:
                raise QuotaExceeded(cost, view.left_ms, view.limit_ms, view.resets_at_ms)
            yield

    def _view(self, job: Job, forecast: Forecast | None, now: int) -> JobView:
        return job_view(job, Moment(self.core.hub.latest(job.id), forecast, now))
