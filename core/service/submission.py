"""Accept jobs: every question that may refuse, then one transaction.

A key that is known is answered before any question: what it made is accepted already. Who may ask
is decided in :mod:`core.service.user_api`.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from uuid import uuid4

import structlog

from core.accounts.file_ownership import FileOwnership
from core.domain.fairness import ORDINARY
from core.domain.fingerprints import fingerprint_of_request
from core.domain.jobs import Job, ReplyTo, Ticket
from core.domain.limits import RequestLimits
from core.domain.lineage import DraftGroup, key_of_draft
from core.domain.people import Payer, Requester
from core.domain.request_check import check_limits
from core.domain.requests import Composition, Request
from core.duration import Estimate
from core.errors import (
    IntakeClosed,
    JobUnknown,
    NothingFits,
    QuotaExceeded,
    Refused,
    ShareTooCostly,
    TooCostly,
)
from core.queue.acceptance import AcceptedJob, NewJob
from core.queue.forecasts import Forecasts
from core.queue.job_queue import JobQueue
from core.runtime.notifier import LocalDispatcher
from core.runtime.progress_hub import ProgressHub
from core.service.admission import FileAdmission
from core.service.views import ServiceRules
from core.storage.job_queries import JobQueries

log = structlog.get_logger(__name__)

Check = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Submitter:
    """Whose the job is, and with what right: the account, its share, and who pays."""

    account: Requester
    weight: int = ORDINARY  # percent of an ordinary share of the device
    payer: Payer | None = None  # None: the account's own, or that of all guests for a guest
    others: tuple[Requester, ...] = ()  # more keys of the same person, who may have asked before

    @property
    def names(self) -> list[Requester]:
        """Return in whose names a key of theirs may have made a job."""
        return list(dict.fromkeys((self.account, *self.others)))


async def _allow() -> None:
    """Ask nothing more."""


class Submission:
    """Turns compositions into jobs in the queue."""

    def __init__(
        self,
        *,
        queue: JobQueue,
        jobs: JobQueries,
        forecasts: Forecasts,
        files: FileOwnership,
        admission: FileAdmission,
        dispatcher: LocalDispatcher,
        hub: ProgressHub,
        estimate: Callable[[Request], Estimate],
        check_budget: Callable[[Request, int | None, RequestLimits, str], None],
        cost_ms: Callable[[Estimate], int],
        pool_of: Callable[[Request], str],
        rules: ServiceRules,
    ) -> None:
        self._queue = queue
        self._jobs = jobs
        self._forecasts = forecasts
        self._files = files
        self._admission = admission
        self._dispatcher = dispatcher
        self._hub = hub
        self._estimate = estimate
        self._check_budget = check_budget
        self._cost_ms = cost_ms
        self._pool_of = pool_of
        self._rules = rules
        self._closing = False

    async def submit(
        self,
        composition: Composition,
        submitter: Submitter,
        reply_to: ReplyTo,
        key: str,
        *,
        check: Check = _allow,
        instead_of: Job | None = None,
    ) -> Ticket:
        """Accept a request: job, reservation and place in the queue, in one transaction.

        Args:
            composition: the request, and what was adjusted in it.
            submitter: whose it is.
            reply_to: where the result goes.
            key: the same key always gives the same job, e.g. ``discord:<interaction>``, for as
                long as that job is kept.
            check: asked before anything is read or written for a new job; raises to refuse.
            instead_of: a waiting job that ends, refunded, in the same transaction; where the new
                one is refused it goes on waiting.

        Returns:
            The ticket; ``duplicate`` where the key was known.

        Raises:
            KeyReused: the key made another job before.
            OutOfRange, PromptTooLong: today's limits do not allow it.
            AlreadyFinished: the job to replace is running or over.
            JobUnknown: the job to replace was deleted.
            NotYours: the job to replace belongs to somebody else by now.
            IntakeClosed: paused, draining, shutting down, or the disk is nearly full.
            MediaGone: a file of the request is not there any more.
            ArtefactsUnavailable: its files cannot be kept where all nodes look.
            TooCostly: costs more than is left or lent; names the largest setting that does not.
            QuotaExceeded: everything costs more than is left; says when there is more.
            TooManyJobs: a limit allows no more jobs; says when it does.
            TooManyQueued: has as many waiting jobs as allowed.
        """
        asked = composition.fingerprint or fingerprint_of_request(composition.request)
        composition = replace(composition, fingerprint=asked)
        known = await self.known(submitter.names, key, asked, composition.request)
        if known is not None:
            return replace(known, adjustments=composition.adjustments)
        await check()
        new = self._with_drafts(composition, submitter, reply_to, key)
        try:
            async with self._files.held(new.request.media().values(), submitter.account):
                submitted = await self._write(new, instead_of)
        except QuotaExceeded as refusal:
            raise self._with_largest_setting(new, refusal) from None
        log.info("submitted", job_id=submitted.job.id, duplicate=submitted.duplicate)
        if instead_of is not None:
            self._hub.close(instead_of.id)
        self._dispatcher.wake()
        ticket = await self._ticket(submitted.job, duplicate=submitted.duplicate)
        return replace(ticket, adjustments=composition.adjustments)

    async def known(
        self,
        names: Sequence[Requester],
        key: str,
        fingerprint: str = "",
        request: Request | None = None,
    ) -> Ticket | None:
        """Return the ticket of the job that a key made in any of ``names``, None for a new key.

        Raises:
            KeyReused: it made it of another request.
        """
        job = await self._jobs.known(names, key, fingerprint, request)
        return None if job is None else await self._ticket(job, duplicate=True)

    def close(self, *, closed: bool) -> None:
        """Refuse new jobs while the process is about to stop; not stored."""
        self._closing = closed

    def _with_drafts(
        self, composition: Composition, submitter: Submitter, reply_to: ReplyTo, key: str
    ) -> NewJob:
        """Return what is to be accepted, with its further drafts where some were asked for.

        Raises:
            Refused, InvalidInput: as of :meth:`_new_job`.
        """
        first = self._new_job(composition, submitter, reply_to, key)
        if not composition.drafts:
            return first
        size = 1 + len(composition.drafts)
        others = [
            self._new_job(
                replace(composition, request=one), submitter, reply_to, key_of_draft(key, number)
            )
            for number, one in enumerate(composition.drafts, 2)
        ]
        group = [
            replace(one, group=DraftGroup(first.id, number, size))
            for number, one in enumerate((first, *others), 1)
        ]
        return replace(group[0], others=tuple(group[1:]))

    def _new_job(
        self, composition: Composition, submitter: Submitter, reply_to: ReplyTo, key: str
    ) -> NewJob:
        """Ask what needs no row, and return what is to be accepted.

        Raises:
            IntakeClosed: shutting down, or the disk is nearly full.
            OutOfRange, PromptTooLong: today's limits do not allow it, whenever it was composed.
            TooCostly: costs more than can be lent at once.
            NoWorkerYet: nobody knows what it takes.
        """
        if self._closing:
            raise IntakeClosed("draining")
        self._admission.refuse_without_room()
        request = composition.request
        check_limits(request, self._rules.limits)
        tier = submitter.payer.tier if submitter.payer else ""
        self._check_budget(request, None, self._rules.limits, tier)
        expected = self._estimate(request)
        return NewJob(
            id=uuid4().hex,
            requester=submitter.account,
            request=request,
            reply_to=reply_to,
            estimate_ms=expected.gpu_ms,
            p95_ms=expected.p95_ms,
            idempotency_key=key,
            weight=submitter.weight,
            payer=submitter.payer,
            fingerprint=composition.fingerprint,
            reserve_ms=self._cost_ms(expected),
            pool=self._pool_of(request),
            origin=composition.origin,
        )

    async def _write(self, new: NewJob, instead_of: Job | None) -> AcceptedJob:
        def files_are_there() -> None:
            self._files.require(new.request)

        if instead_of is None:
            return await self._queue.submit(new, files_are_there)
        return await self._queue.replace(instead_of.id, instead_of.requester, new, files_are_there)

    def _with_largest_setting(self, new: NewJob, refusal: QuotaExceeded) -> Refused:
        """Return the refusal with the largest setting that fits, where there is one."""
        if new.others:  # of several drafts no setting is as good as fewer of them
            return refusal
        try:
            self._check_budget(new.request, refusal.left_ms, self._rules.limits, new.pays.tier)
        except NothingFits:
            return refusal
        except TooCostly as fits:
            if refusal.scope == "own":
                return fits.with_traceback(None)
            return ShareTooCostly(
                **fits.data(),  # pyright: ignore[reportArgumentType]  # the fields of its base
                scope=refusal.scope,
                resets_at_ms=refusal.resets_at_ms,
            )
        return refusal

    async def _ticket(self, job: Job, *, duplicate: bool) -> Ticket:
        forecast = None
        if not job.state.terminal:
            with suppress(JobUnknown):  # its owner deletes everything at this moment
                forecast = await self._forecasts.forecast(job.id)
        whole_ms = job.estimate_ms * (job.group.size if job.group else 1)
        return Ticket(job.id, whole_ms, forecast, duplicate)
