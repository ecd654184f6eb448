"""How the front door accepts: every question that may refuse, then one transaction.

A key that is known is answered before any question: what it made is accepted already.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import structlog

from core.accounts.file_ownership import FileOwnership
from core.accounts.quotas import Quotas
from core.domain.fairness import ORDINARY
from core.domain.jobs import Job, ReplyTo, Ticket
from core.domain.limits import RequestLimits
from core.domain.people import Payer, Requester
from core.domain.requests import Composition, Request
from core.duration import Estimate
from core.errors import IntakeClosed, NothingFits, QuotaExceeded, Refused, ShareTooCostly, TooCostly
from core.media.intake.store import MediaStore
from core.queue.forecasts import Forecasts
from core.queue.intake import IntakeSwitch
from core.queue.job_queue import AcceptedJob, JobQueue, NewJob
from core.runtime.notifier import LocalDispatcher
from core.runtime.progress_hub import ProgressHub
from core.service.admission import Admission
from core.service.deletion import Eraser
from core.service.views import ServiceRules
from core.storage.job_queries import JobQueries

log = structlog.get_logger(__name__)


class Submission(Admission):
    """Accepts requests; what admits their files is inherited."""

    def __init__(
        self,
        *,
        queue: JobQueue,
        jobs: JobQueries,
        forecasts: Forecasts,
        quotas: Quotas,
        intake: IntakeSwitch,
        media: MediaStore,
        files: FileOwnership,
        work_folder: Path,
        eraser: Eraser,
        dispatcher: LocalDispatcher,
        hub: ProgressHub,
        estimate: Callable[[Request], Estimate],
        check_budget: Callable[[Request, int | None, RequestLimits], None],
        on_owed: Callable[[], None],
        rules: ServiceRules,
    ) -> None:
        super().__init__(media, files, rules, work_folder)
        self._queue = queue
        self._jobs = jobs
        self._forecasts = forecasts
        self._quotas = quotas
        self._intake = intake
        self._eraser = eraser
        self._dispatcher = dispatcher
        self._hub = hub
        self._estimate = estimate
        self._check_budget = check_budget
        self._on_owed = on_owed
        self._closing = False

    def estimate(self, request: Request) -> Estimate:
        """Return what ``request`` will take on this machine, from the request alone."""
        return self._estimate(request)

    async def submit(
        self,
        composition: Composition | Request,
        requester: Requester,
        reply_to: ReplyTo,
        idempotency_key: str,
        weight: int = ORDINARY,
        payer: Payer | None = None,
    ) -> Ticket:
        """Accept a request: job, reservation and place in line, in one transaction.

        Args:
            composition: what :meth:`compose` gave, or a request made from an earlier one.
            requester: whose it is.
            reply_to: where the result goes.
            idempotency_key: the same key always gives the same job, e.g. ``discord:<interaction>``.
            weight: percent of an ordinary share of the device.
            payer: whose account pays; None: the requester's, or that of all guests for a guest.

        Returns:
            The ticket; ``duplicate`` where the key was known.

        Raises:
            IntakeClosed: paused, draining, shutting down, or the disk is nearly full.
            MediaGone: a file of the request is not there any more.
            TooCostly: costs more than is left or lent; names the largest setting that does not.
            QuotaExceeded: everything costs more than is left; says when there is more.
            TooManyQueued: has as many waiting jobs as allowed.
        """
        known = await self._queue.known(requester, idempotency_key)
        if known is not None:
            return await self._ticket(known, composition, duplicate=True)
        new = self._asked(composition, requester, reply_to, idempotency_key, weight, payer)
        return await self._accepted(
            self._queue.submit(new, lambda: self.files.require(new.request)), composition, new
        )

    async def replace(
        self,
        old: Job,
        composition: Composition | Request,
        requester: Requester,
        reply_to: ReplyTo,
        idempotency_key: str,
        weight: int = ORDINARY,
        payer: Payer | None = None,
    ) -> Ticket:
        """Accept a request in the place of the waiting job ``old``, or change nothing.

        Args and refusals are those of :meth:`submit`; the old reservation counts as given back.

        Returns:
            The ticket; ``duplicate`` where the key was known.

        Raises:
            AlreadyFinished: the old job is running or over.
            JobUnknown: it was deleted.
            NotYours: it belongs to somebody else by now.
        """
        known = await self._queue.known(requester, idempotency_key)
        if known is not None:
            return await self._ticket(known, composition, duplicate=True)
        new = self._asked(composition, requester, reply_to, idempotency_key, weight, payer)
        replacing = self._queue.replace(
            old.id, old.requester, new, lambda: self.files.require(new.request)
        )
        ticket = await self._accepted(replacing, composition, new)
        self._hub.close(old.id)
        return ticket

    async def known(self, requester: Requester, idempotency_key: str) -> Ticket | None:
        """Return the ticket that ``requester`` got under a key, None where there is none."""
        job = await self._queue.known(requester, idempotency_key)
        return None if job is None else await self._ticket(job, job.request, duplicate=True)

    def _asked(
        self,
        composition: Composition | Request,
        requester: Requester,
        reply_to: ReplyTo,
        idempotency_key: str,
        weight: int,
        payer: Payer | None,
    ) -> NewJob:
        """Ask what needs no row, and return what is to be accepted.

        Raises:
            IntakeClosed: shutting down, or the disk is nearly full.
            TooCostly: costs more than can be lent at once.
        """
        if self._closing:
            raise IntakeClosed("draining")
        self.refuse_without_room()
        request = composition.request if isinstance(composition, Composition) else composition
        self._check_budget(request, None, self._rules.limits)
        expected = self._estimate(request)
        return NewJob(
            id=uuid4().hex,
            requester=requester,
            request=request,
            reply_to=reply_to,
            estimate_ms=expected.gpu_ms,
            p95_ms=expected.p95_ms,
            idempotency_key=idempotency_key,
            weight=weight,
            payer=payer,
        )

    async def _accepted(
        self, accepting: Awaitable[AcceptedJob], composition: Composition | Request, new: NewJob
    ) -> Ticket:
        try:
            submitted = await accepting
        except QuotaExceeded as refusal:
            raise self._named(new.request, refusal) from None
        job = submitted.job
        log.info("submitted", job_id=job.id, duplicate=submitted.duplicate)
        self._dispatcher.wake()
        return await self._ticket(job, composition, duplicate=submitted.duplicate)

    def _named(self, request: Request, refusal: QuotaExceeded) -> Refused:
        """Return the refusal with the largest setting that fits, where there is one."""
        try:
            self._check_budget(request, refusal.left_ms, self._rules.limits)
        except NothingFits:
            return refusal
        except TooCostly as fits:
            if refusal.scope == "own":
                return fits.with_traceback(None)
            named = (fits.need_ms, fits.limit_ms, fits.width, fits.height, fits.seconds)
            return ShareTooCostly(*named, refusal.scope, refusal.resets_at_ms)
        return refusal

    async def _ticket(
        self, job: Job, composition: Composition | Request, *, duplicate: bool
    ) -> Ticket:
        forecast = None if job.state.terminal else await self._forecasts.forecast(job.id)
        notes = composition.adjustments if isinstance(composition, Composition) else ()
        return Ticket(job.id, job.estimate_ms, forecast, duplicate, notes)

    def stopping(self, *, now: bool) -> None:
        """Refuse new jobs while the process is about to stop; not stored."""
        self._closing = now
