"""The front door: every front asks here, and only here, and gets the same answers.

Refusals come before anything is reserved; what was accepted is in the database before it is
answered.
"""

from collections.abc import Mapping

from core.domain.jobs import Job, QuotaView, ReplyTo
from core.domain.limits import RequestLimits
from core.domain.media import Clip, MediaFile
from core.domain.modes import Mode
from core.domain.people import Payer, Requester
from core.domain.request_builder import compose
from core.domain.requests import Composition, Options
from core.errors import NothingToFetch, NotYours
from core.queue.intake import Intake
from core.service.submission import Submission
from core.service.views import Health, LineView, Place


class GenerationService(Submission):
    """Composes, cancels and answers questions; how it admits and accepts is inherited."""

    @property
    def limits(self) -> RequestLimits:
        """Return the ranges of a request's values, for forms and menus."""
        return self._rules.limits

    def compose(self, mode: Mode, options: Options, media: Mapping[str, MediaFile]) -> Composition:
        """Build the request from what was typed (:func:`core.domain.request_builder.compose`)."""
        return compose(mode, options, media, self._rules.limits)

    async def cancel(self, job_id: str, requester: Requester, *, operator: bool = False) -> Job:
        """Stop a job, wherever it is, and refund what it did not use.

        Args:
            job_id: which.
            requester: who asks; must own it unless ``operator``.
            operator: asks with an operator's right.

        Returns:
            The cancelled job.

        Raises:
            JobUnknown: no such job.
            NotYours: somebody else's.
            AlreadyFinished: too late, or cancelled before.
        """
        job = await self._queue.cancel(job_id, requester, operator)
        foreign = operator and job.requester != requester
        self._dispatcher.cancel(job_id, "operator" if foreign else "owner")
        self._ended(job_id)
        return job

    def _ended(self, job_id: str) -> None:
        self._hub.close(job_id)
        self._dispatcher.wake()
        self._on_owed()

    async def job(self, job_id: str, requester: Requester | None = None) -> Job:
        """Return one job; ``requester`` None asks with an operator's right.

        Raises:
            JobUnknown: no such job.
            NotYours: somebody else's.
        """
        job = await self._jobs.get(job_id)
        if requester is not None and job.requester != requester:
            raise NotYours(job_id)
        return job

    async def clip(self, job_id: str, requester: Requester | None = None) -> Clip:
        """Return the finished video of a job.

        Raises:
            JobUnknown: no such job.
            NotYours: somebody else's.
            NothingToFetch: not finished, or deleted since.
        """
        job = await self.job(job_id, requester)
        if job.clip is None or not job.clip.path.exists():
            raise NothingToFetch(job_id)
        return job.clip

    async def jobs(
        self, requester: Requester, limit: int = 20, before_ms: int | None = None
    ) -> list[Job]:
        """Return the newest jobs of ``requester``, made before ``before_ms`` (epoch) if given."""
        return await self._jobs.jobs_of(requester, limit, before_ms)

    async def line(self, requester: Requester) -> LineView:
        """Return how long the line is and where the live jobs of ``requester`` are."""
        counts = await self._jobs.counts()
        mine = await self._jobs.live_of(requester)
        places = [Place(job, await self._forecasts.forecast(job.id)) for job in mine]
        return LineView(counts.running, counts.waiting, tuple(places))

    async def quota(self, requester: Requester, payer: Payer | None = None) -> QuotaView:
        """Return what ``requester`` may still spend from the account of ``payer``."""
        return await self._quotas.quota(requester, payer)

    async def grant(self, requester: Requester, gpu_ms: int) -> QuotaView:
        """Give ``requester`` more GPU-milliseconds in the current window; for operators."""
        await self._quotas.grant(requester, gpu_ms)
        return await self._quotas.quota(requester)

    async def update_reply_to(self, job_id: str, reply_to: ReplyTo) -> None:
        """Replace where the result goes, e.g. once the front posted its placeholder message."""
        await self._queue.update_reply_to(job_id, reply_to)

    async def set_intake(self, state: Intake) -> None:
        """Open, pause or drain the intake; accepted jobs go on. Survives a restart."""
        await self._intake.set_intake(state)

    async def health(self) -> Health:
        """Return what an operator looks at first."""
        counts = await self._jobs.counts()
        intake = await self._intake.intake()
        if intake == "open" and not self.has_room():
            intake = "disk"
        rules = self._rules
        return Health(intake, counts.running, counts.waiting, rules.data_dir, rules.free_bytes())

    async def all_live(self) -> list[Job]:
        """Return everybody's running and waiting jobs in the order they run; for operators."""
        return await self._jobs.in_order()

    async def delete(self, job_id: str, requester: Requester | None = None) -> None:
        """Delete a job with its files; a live one is cancelled first.

        Args:
            job_id: which.
            requester: who asks; None asks with an operator's right.

        Raises:
            JobUnknown: no such job.
            NotYours: somebody else's.
        """
        job = await self.job(job_id, requester)
        if not job.state.terminal:
            await self.cancel(job_id, job.requester)
        await self._eraser.delete(job_id, job.requester)

    async def forget(self, requester: Requester) -> int:
        """Delete all kept of ``requester``, live jobs after a cancel; return how many jobs.

        The ledger keeps what was charged, without what it was for.
        """
        for job in await self._jobs.live_of(requester):
            await self.cancel(job.id, requester)
        return await self._eraser.forget(requester)
