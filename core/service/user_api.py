"""Answer people: the one door of every front, with the caller first in every call.

Fronts turn what people send into compositions and job ids; who may do what with which job is
decided here, and the same on every platform. An operator may see and stop any job.
"""

from collections.abc import Mapping
from functools import partial

from core.accounts.weights import Shares
from core.domain.jobs import Forecast, Job, ReplyTo, Ticket, find_job
from core.domain.limits import MediaLimits, RequestLimits
from core.domain.media import MediaFile
from core.domain.modes import Mode
from core.domain.options import Options
from core.domain.people import Caller
from core.domain.quota import QuotaView
from core.domain.requests import Composition
from core.domain.words import StyleWords
from core.errors import InvalidInput
from core.queue.forecasts import Standing
from core.service.operator_api import OperatorApi
from core.service.preview import RequestPreview
from core.service.submission import Submitter
from core.service.user_access import UserAccess
from core.service.user_clips import UserClips
from core.service.user_feed import UserFeed
from core.service.user_files import UserFiles
from core.service.user_gallery import UserGallery
from core.service.user_inputs import UserInputs
from core.service.user_services import UserServices
from core.service.user_styles import UserStyles
from core.service.views import QueuedJob, QueueView
from core.service.visible_jobs import VisibleJobs

SEARCHED = 50  # newest jobs among which a typed id is looked for


class UserApi:
    """Takes requests and questions of people."""

    def __init__(
        self,
        services: UserServices,
        files: UserFiles,
        shares: Shares,
        limits: RequestLimits,
        media_limits: MediaLimits,
    ) -> None:
        self._forecasts = services.forecasts
        self._submission = services.submission
        self._cancellation = services.cancellation
        self._follow_ups = services.follow_ups
        self._previewer = services.previewer
        self._owned = services.owned
        self._visible = VisibleJobs(
            services.jobs, services.owned, services.moderation, services.operators
        )
        self.styles = UserStyles(services.styles, limits, self.is_operator)
        self.access = UserAccess(services.access, services.moderation)
        self.public, self.originals = services.public, services.originals
        self.feed = UserFeed(services, self._visible)
        self._shares = shares
        self.files = files
        self.clips = UserClips(self.job, services.clips)
        self.inputs = UserInputs(self._visible.own, services.inputs)
        self.gallery = UserGallery(services, self._visible.own)
        self.accounts = services.accounts
        self.limits = limits
        self.price = services.previewer.price  # takes the record: its holder may see it
        self.media_limits = media_limits

    async def compose(
        self,
        caller: Caller,
        mode: Mode,
        options: Options,
        media: Mapping[str, MediaFile],
        kept: StyleWords | None = None,
    ) -> Composition:
        """Build the request from what was typed (:func:`core.domain.request_builder.compose`).

        Where it is refused, ``media``, the caller's admitted files by role, are let go of. ``kept``
        is the style of the request that is changed, which keeps its words.

        Raises:
            InvalidInput: a value or file cannot work.
        """
        try:
            filled = await self.styles.fill(caller, mode, options, media, kept)
            return await self._previewer.composed(mode, options, media, filled)
        except InvalidInput:
            await self.files.release(caller, media.values())
            raise

    async def preview(
        self, caller: Caller, mode: Mode, options: Options, media: Mapping[str, MediaFile]
    ) -> RequestPreview:
        """Say what a request would become, cost and be refused for; ``media`` is kept."""
        quota = await self.quota(caller)
        try:
            filled = await self.styles.fill(caller, mode, options, media)
        except InvalidInput as refusal:
            return RequestPreview(quota, refusal=refusal.with_traceback(None))
        return await self._previewer.preview(mode, options, media, quota, filled)

    async def submit(
        self, caller: Caller, composition: Composition, reply_to: ReplyTo, key: str
    ) -> Ticket:
        """Accept a request: job, reservation and place in the queue, in one transaction.

        Args:
            caller: who and where.
            composition: what :meth:`compose` or :meth:`follow_up` gave.
            reply_to: where to answer.
            key: of this event, as the platform names it; the same key is the same job.

        Returns:
            The ticket, with everything that was adjusted.

        Raises:
            KeyReused: the key made another job before.
            InvalidInput: today's limits do not allow it.
            Refused: quota, policy, block or a closed intake.
        """
        return await self._submit(caller, composition, reply_to, key, None)

    async def known(self, caller: Caller, key: str, fingerprint: str = "") -> Ticket | None:
        """Return the ticket of what a key of the caller made, None where it is new.

        Raises:
            KeyReused: it was another request than the one with this fingerprint.
        """
        return await self._submission.known(await self._owned.keys(caller), key, fingerprint)

    async def replace(
        self, caller: Caller, job_id: str, composition: Composition, reply_to: ReplyTo, key: str
    ) -> Ticket:
        """Accept a request in the place of a waiting job of the caller, or change nothing.

        Raises:
            JobUnknown: there is no such job.
            NotYours: it belongs to somebody else; an operator's right does not help.
            AlreadyFinished: it is running or over.
            Refused: quota, policy, block or a closed intake; the job goes on waiting.
        """
        known = await self.known(caller, key)
        if known is not None:
            return known
        old = await self._visible.own(caller, job_id)
        return await self._submit(caller, composition, reply_to, key, old)

    async def follow_up(self, caller: Caller, job_id: str, action: str) -> Composition:
        """Return what a button under a job asks for next; submit it like any other request.

        Raises:
            JobUnknown: there is no such job.
            NotYours: it belongs to somebody else.
            NotAChoice: the action makes no clip.
            NothingToFetch: it needs the clip, and there is none.
        """
        job = await self.job(caller, job_id)
        return await self._follow_ups.compose(job, action, caller.requester)

    async def job(self, caller: Caller, job_id: str) -> Job:
        """Return a job that the caller may see: their own, or any for an operator.

        Raises:
            JobUnknown: there is none, or it was deleted.
            NotYours: it belongs to somebody else.
        """
        return await self._visible.get(caller, job_id)

    async def find(self, caller: Caller, typed: str) -> Job:
        """Return the job of the caller whose id begins with what they typed.

        Raises:
            JobUnknown: none of their newest 50 does, or more than one.
        """
        return find_job(await self.jobs(caller, SEARCHED), typed)

    async def jobs(self, caller: Caller, limit: int, before: int | None = None) -> list[Job]:
        """Return the newest jobs of the caller on all their platforms, before number ``before``."""
        return await self._owned.jobs(caller, limit, before)

    async def cancel(self, caller: Caller, job_id: str) -> Job:
        """Stop a job of the caller, or any for an operator.

        Raises:
            JobUnknown: there is none.
            NotYours: it belongs to somebody else.
            AlreadyFinished: nothing is left to stop.
        """
        job, own = await self._visible.find(caller, job_id)
        if own:
            return await self._cancellation.cancel(job_id, job.requester)
        return await self.operator(caller).cancel(job_id)

    async def delete(self, caller: Caller, job_id: str) -> None:
        """Delete a job with its files; a live one is cancelled first.

        Raises:
            JobUnknown, NotYours: there is none, or it belongs to somebody else.
        """
        await self._cancellation.delete(await self._visible.get(caller, job_id, "delete"))

    async def forget(self, caller: Caller) -> int:
        """Delete all jobs, files and joins of the caller; return how many jobs there were."""
        return await self.accounts.forget(caller, self._cancellation)

    async def check_showing(self, caller: Caller, job_id: str) -> None:
        """Refuse to show a clip to all in the caller's place where it could not be made there.

        Raises:
            JobUnknown: there is none.
            NotYours: it belongs to somebody else.
            RequesterBlocked: an operator blocked the caller.
            AccessClosed: nothing lets the caller in.
            PolicyForbids: a rule of the place, or of all places.
        """
        job = await self.job(caller, job_id)
        await self.access.check_shown(caller, job)

    async def check_sharing(self, caller: Caller, job_id: str) -> None:
        """Refuse to make a clip public: only its owner may, where the rules of the place allow it.

        Raises:
            JobUnknown: there is none.
            NotYours: it belongs to somebody else; an operator's right does not help.
            RequesterBlocked, AccessClosed, PolicyForbids: as for :meth:`check_showing`.
        """
        job = await self._visible.own(caller, job_id)
        await self.access.check_shown(caller, job)

    async def owns(self, caller: Caller, job: Job) -> bool:
        """Tell whether a job is the caller's own, on any of their platforms."""
        return await self._owned.owns(caller, job)

    async def queue(self, caller: Caller) -> QueueView:
        """Return how long the queue is and where the caller's live jobs are."""
        standing = await self.standing(caller)
        ready = self._forecasts.of_standing(standing)
        mine = [QueuedJob(job, ready[job.id]) for job in standing.jobs]
        return QueueView(standing.counts.running, standing.counts.waiting, tuple(mine))

    async def standing(self, caller: Caller) -> Standing:
        """Return where the caller's account stands: live jobs, what goes before them, quota."""
        return await self._owned.standing(caller)

    async def forecast(self, caller: Caller, job_id: str) -> Forecast | None:
        """Return when a job should be ready, None where it is over.

        Raises:
            JobUnknown: there is none.
            NotYours: it belongs to somebody else.
        """
        job = await self.job(caller, job_id)
        return None if job.state.terminal else await self._forecasts.forecast(job_id)

    async def quota(self, caller: Caller) -> QuotaView:
        """Return what the caller may still spend."""
        return await self._owned.quota(caller)

    def is_operator(self, caller: Caller) -> bool:
        """Return whether the settings name the caller, or a role of theirs."""
        return self._visible.is_operator(caller)

    def operator(self, caller: Caller) -> OperatorApi:
        """Return the door of operators, in the caller's name.

        Raises:
            OperatorsOnly: the settings name neither the caller nor a role of theirs.
        """
        return self._visible.operator(caller)

    async def _submit(
        self,
        caller: Caller,
        composition: Composition,
        reply_to: ReplyTo,
        key: str,
        instead_of: Job | None,
    ) -> Ticket:
        check = partial(self.access.check_request, caller, composition.request)
        account, payer = await self._owned.account(caller)
        operator = self.is_operator(caller)
        weight = self._shares.weight(caller.requester, caller.asker.roles, operator=operator)
        names = tuple(await self._owned.keys(caller))
        submitter = Submitter(account, weight, payer, names)
        try:
            return await self._submission.submit(
                composition, submitter, reply_to, key, check=check, instead_of=instead_of
            )
        finally:  # its files are the job's now, or nobody's
            await self.files.release(caller, composition.request.media().values())
