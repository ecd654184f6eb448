"""What programs with a token ask of the core about their jobs; runs on the core's loop.

A program sees its own jobs alone, also where the settings make its account an operator's.
"""

from dataclasses import dataclass, replace
from uuid import uuid4

from core.domain.jobs import Forecast, Job, ReplyTo, Ticket
from core.domain.progress import Progress
from core.domain.quota import QuotaView
from core.errors import JobUnknown, NotYours
from core.service.front_services import FrontServices, KnownPrograms, Program, TokenScope
from webui.auth.visitors import Visitor
from webui.studio.delivery import reply_to_page
from webui.studio.follow_up import Press, followed_up

SCANNED = 1000  # jobs that one page of a filtered list looks at, at most
_CHUNK = 100
_AGE_MS = 10_000  # after which a watched job is read again: what goes before it moves by time alone


@dataclass(frozen=True, slots=True)
class Sight:
    """A job at one moment (epoch ms)."""

    job: Job
    forecast: Forecast | None
    progress: Progress | None
    now_ms: int
    drafts: tuple[str, ...] = ()  # ids of those that it was asked for with, its own among them


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs a list has; empty: all. ``waiting`` stands for every state before the run."""

    state: str = ""
    mode: str = ""

    def takes(self, job: Job) -> bool:
        """Tell whether ``job`` is one of them."""
        state = "waiting" if job.state.waiting else job.state.value
        return self.state in {"", state} and self.mode in {"", job.mode_word}


def visitor_of_program(program: Program) -> Visitor:
    """Return the program as one who asks."""
    return Visitor(program.requester, program.payer)


class ProgramJobs:
    """Jobs of programs."""

    def __init__(self, services: FrontServices) -> None:
        """Take the service."""
        self._services = services
        self._users = services.users
        self.known: KnownPrograms = services.programs
        self.stopping = False

    def end_streams(self) -> None:
        """Let every stream of events end, so that none is cut off in the middle of one."""
        self.stopping = True

    @property
    def version(self) -> int:
        """Return a number that changes with every write of the database."""
        return self._services.version()

    def now(self) -> int:
        """Return the time, epoch milliseconds."""
        return self._services.clock()

    async def job(self, job_id: str, visitor: Visitor) -> Job:
        """Return an own job.

        Raises:
            JobUnknown: there is none.
            NotYours: somebody else's.
        """
        job = await self._users.job(visitor.caller, job_id)
        if not await self._users.owns(visitor.caller, job):
            raise NotYours(job_id)
        return job

    async def sight(self, job_id: str, visitor: Visitor) -> Sight:
        """Return an own job as it stands.

        Raises:
            JobUnknown: there is none.
            NotYours: somebody else's.
        """
        job = await self.job(job_id, visitor)
        return await self._seen(job, visitor)

    async def _seen(self, job: Job, visitor: Visitor) -> Sight:
        forecast = None
        if not job.state.terminal:
            forecast = await self._users.forecast(visitor.caller, job.id)
        progress = self._services.latest_progress(job)
        drafts = tuple(one.id for one in await self._users.gallery.drafts(job))
        return Sight(job, forecast, progress, self.now(), drafts)

    def again(self, sight: Sight) -> Sight:
        """Return what moves without a write: progress and time."""
        progress = self._services.latest_progress(sight.job)
        return replace(sight, progress=progress, now_ms=self.now())

    async def page(
        self, visitor: Visitor, chosen: JobFilter, limit: int, before: int | None
    ) -> tuple[list[Sight], int | None]:
        """Return own jobs, the newest first, and where the next page begins; None at the end."""
        found: list[Sight] = []
        for _ in range(SCANNED // _CHUNK):
            jobs = await self._users.jobs(visitor.caller, _CHUNK, before)
            for job in jobs:
                if len(found) == limit:
                    return found, before
                before = job.number
                if chosen.takes(job):
                    found.append(await self._seen(job, visitor))
            if len(jobs) < _CHUNK:
                return found, None
        return found, before

    async def stop(self, job_id: str, visitor: Visitor) -> None:
        """Stop an own live job, and the drafts that it was asked for with.

        Raises:
            JobUnknown: there is none.
            NotYours: somebody else's.
            AlreadyFinished: it is over.
        """
        await self.job(job_id, visitor)
        await self._users.cancel(visitor.caller, job_id)

    async def erase(self, job_id: str, visitor: Visitor) -> None:
        """Delete an own job with its files; a live one is stopped first.

        Raises:
            JobUnknown: there is none.
            NotYours: somebody else's.
        """
        await self.job(job_id, visitor)
        await self._users.delete(visitor.caller, job_id)

    async def follow_up(
        self,
        job_id: str,
        action: str,
        visitor: Visitor,
        key: str | None,
        reply_to: ReplyTo | None = None,
    ) -> Ticket:
        """Ask for what ``action`` makes of an own job; the same ``key`` is the same request.

        Raises:
            JobUnknown: there is none.
            NotYours: somebody else's.
            KeyReused: the key stands for another request.
            NotAChoice: the action makes no clip.
            Refused: quota, rules, block or a closed intake.
        """
        name = key or f"program:{uuid4().hex}"
        press = Press(job_id, action, name, reply_to or reply_to_page())
        return await followed_up(
            self._users, visitor.caller, press, lambda: self.job(job_id, visitor)
        )

    async def knows(self, visitor: Visitor, key: str | None) -> bool:
        """Tell whether a key of the program made a job, whatever was asked for with it."""
        return key is not None and await self._users.known(visitor.caller, key) is not None

    async def quota(self, visitor: Visitor) -> QuotaView:
        """Return what the program may still spend."""
        return await self._users.quota(visitor.caller)

    def watch(self, token: str, job_id: str) -> "JobWatch":
        """Return an eye on an own job of the program with this token."""
        return JobWatch(self, token, job_id)


class JobWatch:
    """Looks at one job again and again; rows are read only after a write, or some seconds."""

    def __init__(self, jobs: ProgramJobs, token: str, job_id: str) -> None:
        """Take whose jobs, the token, which is asked about again, and the job."""
        self._jobs = jobs
        self._token = token
        self._job_id = job_id
        self._stamp: tuple[int, int] | None = None
        self._sight: Sight | None = None

    async def look(self) -> Sight | None:
        """Return the job as it stands; None where there is nothing for this token any more."""
        stamp = (self._jobs.version, self._jobs.now() // _AGE_MS)
        if self._stamp == stamp and self._sight is not None:
            return self._jobs.again(self._sight)
        program = await self._jobs.known.program_of(self._token)
        if program is None or TokenScope.READ not in program.scopes:
            return None
        try:
            self._sight = await self._jobs.sight(self._job_id, visitor_of_program(program))
        except (JobUnknown, NotYours):
            return None
        self._stamp = stamp
        return self._sight
