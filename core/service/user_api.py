"""The counter that every front stands at: who is asking, from where, may they, and whose it is.

Fronts turn what people send into an :class:`Ask`; everything that must be the same on all
platforms happens here, before the service is reached.
"""

from collections.abc import Mapping

from core.accounts.community import Community
from core.accounts.weights import Shares
from core.domain.jobs import Job, QuotaView, ReplyTo, Ticket
from core.domain.media import MediaFile
from core.domain.modes import Mode
from core.domain.people import (
    Payer,
    Person,
    Requester,
)
from core.domain.requests import Composition, Options, Request
from core.errors import InvalidInput, JobUnknown, NotYours
from core.service.generation import GenerationService


class Desk:
    """Takes requests and questions of people on behalf of a front."""

    def __init__(
        self, service: GenerationService, community: Community, shares: Shares | None = None
    ) -> None:
        self.service = service
        self.shares = shares or Shares()
        self.community = community

    async def ask(
        self,
        mode: Mode,
        options: Options,
        media: Mapping[str, MediaFile],
        person: Person,
        reply_to: ReplyTo,
        key: str,
    ) -> Ticket:
        """Accept a request made from what a person typed and sent.

        Args:
            mode: which of the six.
            options: what was typed.
            media: admitted files by role.
            person: who and where.
            reply_to: where to answer.
            key: the platform's own id of this event; the same key is the same job.

        Returns:
            The ticket, with everything that was adjusted.

        Raises:
            InvalidInput: a value or file cannot work.
            Refused: quota, policy, block or a closed intake.
        """
        try:
            composition = self.service.compose(mode, options, media)
        except InvalidInput:
            await self.service.release(media.values(), person.requester)
            raise
        return await self._submit(composition, person, reply_to, key)

    async def repeat(
        self, request: Request | Composition, person: Person, reply_to: ReplyTo, key: str
    ) -> Ticket:
        """Accept a request made from an older one (:mod:`core.domain.followups`, an edit form).

        Raises:
            Refused: quota, policy, block or a closed intake.
        """
        if not isinstance(request, Composition):
            request = Composition(request, ())
        return await self._submit(request, person, reply_to, key)

    async def replace(
        self,
        job_id: str,
        request: Request | Composition,
        person: Person,
        reply_to: ReplyTo,
        key: str,
    ) -> Ticket:
        """Accept a request in the place of a waiting job of the person, or change nothing.

        Raises:
            JobUnknown: there is no such job.
            NotYours: it belongs to somebody else; an operator's right does not help.
            AlreadyFinished: it is running or over.
            Refused: quota, policy, block or a closed intake; the job goes on waiting.
        """
        old = await self.service.job(job_id)
        if not await self._owns(old, person):
            raise NotYours(job_id)
        if not isinstance(request, Composition):
            request = Composition(request, ())
        return await self._submit(request, person, reply_to, key, old)

    async def job(self, job_id: str, person: Person) -> Job:
        """Return a job that the person may see: their own, or any for an operator.

        Raises:
            JobUnknown: there is none, or it was deleted.
            NotYours: it belongs to somebody else.
        """
        job = await self.service.job(job_id)
        if not await self._owns(job, person) and not self.is_operator(person):
            raise NotYours(job_id)
        return job

    async def cancel(self, job_id: str, person: Person) -> Job:
        """Stop a job of the person, or any for an operator.

        Raises:
            JobUnknown: there is none.
            NotYours: it belongs to somebody else.
            AlreadyFinished: nothing is left to stop.
        """
        job = await self.job(job_id, person)
        if await self._owns(job, person):
            return await self.service.cancel(job_id, job.requester)
        return await self.service.cancel(job_id, person.requester, operator=True)

    async def jobs(self, person: Person, limit: int, before_ms: int | None = None) -> list[Job]:
        """Return the newest jobs of the person on all their platforms, newest first."""
        found: list[Job] = []
        for requester in await self.community.accounts.keys(person.requester):
            found += await self.service.jobs(requester, limit, before_ms)
        return sorted(found, key=lambda job: job.created_at_ms, reverse=True)[:limit]

    async def quota(self, person: Person) -> QuotaView:
        """Return what the person may still spend."""
        account = await self.community.accounts.account(person.requester)
        return await self.service.quota(account, _payer(person, account))

    async def forget(self, person: Person) -> int:
        """Delete all jobs, files and joins of the person; returns how many jobs there were."""
        requesters = await self.community.accounts.keys(person.requester)
        count = 0
        for requester in requesters:
            count += await self.service.forget(requester)
        await self.community.accounts.leave(person.requester)
        return count

    def is_operator(self, person: Person) -> bool:
        """Return whether the settings name this person, or a role of theirs."""
        return person.has_operator_role or self.community.moderation.is_operator(person.requester)

    async def _submit(
        self,
        composition: Composition,
        person: Person,
        reply_to: ReplyTo,
        key: str,
        old: Job | None = None,
    ) -> Ticket:
        try:
            return await self._accept(composition, person, reply_to, key, old)
        finally:  # its files are the job's now, or nobody's
            await self.service.release(composition.request.media().values(), person.requester)

    async def _accept(
        self,
        composition: Composition,
        person: Person,
        reply_to: ReplyTo,
        key: str,
        old: Job | None,
    ) -> Ticket:
        account = await self.community.accounts.account(person.requester)
        known = await self.service.known(account, key)
        if known is not None:
            return known
        await self._admit(composition.request, person)
        operator = self.is_operator(person)
        weight = self.shares.weight(person.requester, person.asker.roles, operator=operator)
        payer = _payer(person, account)
        if old is None:
            return await self.service.submit(composition, account, reply_to, key, weight, payer)
        return await self.service.replace(old, composition, account, reply_to, key, weight, payer)

    async def check_showing(self, job: Job, person: Person) -> None:
        """Refuse to show a clip to all in the person's place where it could not be made there.

        Raises:
            RequesterBlocked: an operator blocked this person.
            PolicyForbids: a rule of the place.
        """
        await self._admit(job.request, person)

    async def _admit(self, request: Request, person: Person) -> None:
        await self.community.moderation.admit(
            request, person.requester, person.place, person.asker, person.earlier
        )

    async def _owns(self, job: Job, person: Person) -> bool:
        if job.requester == person.requester:
            return True
        return job.requester in await self.community.accounts.keys(person.requester)


def _payer(person: Person, account: Requester) -> Payer:
    """Return who pays: what a front said of the person goes for their own account only."""
    if person.payer is None or account != person.requester:
        return Payer.of(account)
    return person.payer


def find_job(jobs: list[Job], prefix: str) -> Job:
    """Return the job whose id begins with what a person typed.

    Raises:
        JobUnknown: none does, or more than one.
    """
    matching = [job for job in jobs if job.id.startswith(prefix.strip().lower())]
    if len(matching) != 1 or not prefix.strip():
        raise JobUnknown(prefix[:40])
    return matching[0]
