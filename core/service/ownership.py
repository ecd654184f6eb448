"""Tell what is a caller's: the account that pays, and the jobs of all their accounts.

Nothing is moved at a sign-in. What a browser made as a guest stays the guest's
(:attr:`core.domain.people.Caller.earlier`): it is the caller's where the guest's secret is, and
nowhere else.
"""

from dataclasses import replace

from core.accounts.linked_accounts import LinkedAccounts
from core.accounts.quotas import Quotas
from core.domain.jobs import Job
from core.domain.people import Caller, Payer, Requester
from core.domain.quota import QuotaView
from core.queue.forecasts import Standing
from core.queue.standing_watch import StandingWatch
from core.storage.job_queries import JobQueries


class Ownership:
    """Finds what belongs to a caller, and says whether a job does."""

    def __init__(
        self, jobs: JobQueries, standings: StandingWatch, quotas: Quotas, linked: LinkedAccounts
    ) -> None:
        self._jobs = jobs
        self._standings = standings
        self._quotas = quotas
        self._linked = linked

    async def account(self, caller: Caller) -> tuple[Requester, Payer]:
        """Return the caller's account, and who pays, in the caller's place.

        What a front said of the payer goes for the caller's own account only.
        """
        account = await self._linked.account(caller.requester)
        own = caller.payer if account == caller.requester else None
        payer = own or Payer.of(account)
        return account, replace(payer, place=caller.place, roles=caller.asker.roles)

    async def quota(self, caller: Caller) -> QuotaView:
        """Return what the caller may still spend."""
        return await self._quotas.quota(*await self.account(caller))

    async def owns(self, caller: Caller, job: Job) -> bool:
        """Return whether ``job`` is the caller's."""
        if job.requester == caller.requester or job.requester in caller.earlier:
            return True
        return job.requester in await self.keys(caller)

    async def jobs(self, caller: Caller, limit: int, before: int | None = None) -> list[Job]:
        """Return the newest jobs of the caller, newest first, before number ``before`` if given."""
        found: list[Job] = []
        for requester in await self.keys(caller):
            found += await self._jobs.jobs_of(requester, limit, before)
        return sorted(found, key=lambda job: job.number, reverse=True)[:limit]

    async def standing(self, caller: Caller) -> Standing:
        """Return where the caller's account stands, with what they have in the queue besides."""
        standing = await self._standings.standing(caller.requester, caller.payer, caller.place)
        for earlier in caller.earlier:
            before = await self._standings.standing(earlier)
            if before.jobs and before.account != standing.account:
                queue = standing.queue.joined(before.queue)
                standing = replace(standing, jobs=(*before.jobs, *standing.jobs), queue=queue)
        return standing

    async def keys(self, caller: Caller) -> list[Requester]:
        """Return in whose names jobs are the caller's."""
        found: list[Requester] = []
        for requester in (caller.requester, *caller.earlier):
            found += await self._linked.keys(requester)
        return list(dict.fromkeys(found))
