"""Steer the service: what operators may do, all of it written into the audit log.

An instance acts in one operator's name. :meth:`core.service.user_api.UserApi.operator` gives one
to a caller whom the settings name; the command line makes its own, for whoever may open the data
directory.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Self

from core.accounts.access import AccessDecision, AccessList
from core.accounts.audit_log import AuditLog
from core.accounts.linked_accounts import LinkedAccounts
from core.accounts.moderation import Moderation
from core.accounts.program_tokens import (
    IssuedToken,
    ProgramTokens,
    TokenOrder,
    TokenScope,
    parse_scopes,
)
from core.accounts.quotas import Quotas
from core.accounts.styles import PlaceStyles
from core.domain.access import AccessEntry
from core.domain.jobs import Job, find_job
from core.domain.people import Payer, Requester
from core.domain.policy import CLEARED, Policy
from core.domain.quota import QuotaView
from core.domain.time_units import MINUTE_MS
from core.errors import NotAChoice
from core.feed.feed import Feed
from core.i18n.messages import languages
from core.queue.intake import Intake, IntakeSwitch
from core.service.cancellation import Cancellation
from core.service.forgetting import Forgotten, forget_person
from core.service.health import HealthReader
from core.service.operator_feed import OperatorFeed
from core.service.views import ServiceHealth
from core.storage.access import AccessRow
from core.storage.dead_letters import DeadDeliveries, DeadDelivery
from core.storage.job_queries import JobQueries
from core.storage.program_tokens import ProgramTokenRow
from core.storage.records import AuditEntry
from core.storage.runs import RecordedRun

__all__ = [
    "AccessDecision",
    "AccessRow",
    "AuditEntry",
    "DeadDelivery",
    "IssuedToken",
    "OperatorApi",
    "OperatorServices",
    "ProgramTokenRow",
    "RecordedRun",
    "TokenOrder",
    "TokenScope",
    "parse_scopes",
]


@dataclass(frozen=True, slots=True)
class OperatorServices:
    """The parts of the service that operators steer."""

    jobs: JobQueries
    intake: IntakeSwitch
    quotas: Quotas
    cancellation: Cancellation
    linked: LinkedAccounts
    moderation: Moderation
    access: AccessList
    styles: Callable[[Requester, str], PlaceStyles]  # in somebody's name, of a place
    feed: Feed
    tokens: ProgramTokens
    audit_log: AuditLog
    health: HealthReader
    dead: DeadDeliveries
    on_owed: Callable[[], None]  # something is owed again
    runs: Callable[[int], Awaitable[list[RecordedRun]]]  # the newest so many
    log_lines: Callable[[int], list[str]]  # the newest so many of this process, without secrets


@dataclass(frozen=True, slots=True)
class OperatorApi:
    """Takes the orders of one operator."""

    _services: OperatorServices
    _operator: Requester

    def acting_as(self, operator: Requester) -> Self:
        """Return the same door in the name of ``operator``, for the audit log."""
        return replace(self, _operator=operator)

    async def health(self) -> ServiceHealth:
        """Return what an operator looks at first."""
        return await self._services.health.read()

    async def all_live(self, limit: int) -> list[Job]:
        """Return everybody's running jobs, then the first ``limit`` waiting ones, in order."""
        return await self._services.jobs.in_order(limit)

    def each_live(self) -> AsyncIterator[list[Job]]:
        """Give everybody's running jobs and all waiting ones, in order, some at a time."""
        return self._services.jobs.each_in_order()

    async def recent_runs(self, limit: int) -> list[RecordedRun]:
        """Return what the newest runs were expected to take, and took; the newest first."""
        return await self._services.runs(limit)

    def log_lines(self, count: int) -> list[str]:
        """Return the newest lines of this process's log, oldest first."""
        return self._services.log_lines(count)

    async def job(self, job_id: str) -> Job:
        """Return anybody's job.

        Raises:
            JobUnknown: there is none, or it was deleted.
        """
        return await self._services.jobs.get(job_id)

    async def find(self, typed: str) -> Job:
        """Find anybody's running or waiting job by the beginning of its id.

        Raises:
            JobUnknown: none begins with it, or more than one.
        """
        return find_job(await self._services.jobs.live_named(typed.strip().lower()), typed)

    async def jobs_of(self, requester: Requester, limit: int) -> list[Job]:
        """Return the newest jobs of ``requester``, newest first."""
        return await self._services.jobs.jobs_of(requester, limit)

    async def cancel(self, job_id: str) -> Job:
        """Stop anybody's job; somebody else's costs its owner nothing.

        Raises:
            JobUnknown: no such job.
            AlreadyFinished: too late, or cancelled before.
        """
        job = await self._services.cancellation.cancel_for_operator(job_id, self._operator)
        await self._note("cancel", job.id)
        return job

    async def set_intake(self, state: Intake) -> None:
        """Open, pause or drain the intake; accepted jobs go on. A pause survives a restart."""
        await self._services.intake.set_intake(state)
        await self._note("intake", state)

    async def quota(self, requester: Requester, place: str = "") -> QuotaView:
        """Return what the account of ``requester`` may still spend, asking from ``place``."""
        account = await self._services.linked.account(requester)
        payer = replace(Payer.of(account), place=place)
        return await self._services.quotas.quota(account, payer)

    async def grant(self, requester: Requester, minutes: float) -> Requester:
        """Give somebody more GPU-minutes in the current window, or less where below 0.

        Returns:
            The account that got them: the one that ``requester`` is joined to.
        """
        account = await self._services.linked.account(requester)
        await self._services.quotas.grant(account, round(minutes * MINUTE_MS))
        await self._note("grant", account.key, f"{minutes:g} min")
        return account

    async def forget(self, person: Requester) -> Forgotten:
        """Delete everything of somebody who cannot do it in a chat, or may not come there."""
        services = self._services
        gone = await forget_person(person, services.linked, services.cancellation)
        for one in gone.accounts:
            await self._note("forget", one.key)
        return gone

    async def dead_deliveries(self, limit: int) -> list[DeadDelivery]:
        """Return the newest deliveries that were given up."""
        return await self._services.dead.newest(limit)

    async def count_dead_deliveries(self) -> int:
        """Count the deliveries that were given up and are not too old to be kept."""
        return await self._services.dead.count()

    async def revive_deliveries(self, job_id: str | None = None) -> list[DeadDelivery]:
        """Try deliveries again that were given up, of one job or of all; return those.

        Raises:
            JobUnknown: there is no such job.
        """
        if job_id is not None:
            await self._services.jobs.get(job_id)
        revived = await self._services.dead.revive(job_id)
        if revived:
            await self._note("revive", job_id or "", f"{len(revived)}")
            self._services.on_owed()
        return revived

    async def block(self, requester: Requester, reason: str) -> None:
        """Keep somebody, with all their accounts, from making videos on any platform."""
        await self._services.moderation.block(self._operator, requester, reason)

    async def unblock(self, requester: Requester) -> list[Requester]:
        """Lift the block of somebody for every account that it reached; return those."""
        return await self._services.moderation.unblock(self._operator, requester)

    async def decide(self, entry: AccessEntry, decision: AccessDecision) -> AccessRow | None:
        """Answer somebody who asks for access; None where nobody does any more."""
        return await self._services.access.decide(self._operator, entry, decision)

    async def allow(self, entry: AccessEntry) -> None:
        """Let somebody, or everybody of a place or role, use the bots."""
        await self._services.access.allow(self._operator, entry)

    async def disallow(self, entry: AccessEntry) -> bool:
        """Take back what was allowed in chat; False where nothing was."""
        return await self._services.access.disallow(self._operator, entry)

    async def access(self) -> list[AccessRow]:
        """List who asks for access, then who was allowed in chat."""
        return await self._services.access.listed()

    async def issue_token(self, order: TokenOrder) -> IssuedToken:
        """Give a program a token.

        Raises:
            TokenNameUnfit: an account cannot be called so.
        """
        return await self._services.tokens.issue(self._operator, order)

    async def revoke_token(self, named: str) -> list[ProgramTokenRow]:
        """End a token, by its beginning, or all tokens of a name; return those.

        Raises:
            TokenUnknown: none that works is called so.
        """
        return await self._services.tokens.revoke(self._operator, named)

    async def tokens(self) -> list[ProgramTokenRow]:
        """List the tokens of programs, the newest first."""
        return await self._services.tokens.known()

    async def policy(self, place: str) -> Policy:
        """Return the rules of ``place``."""
        return await self._services.moderation.policy(place)

    async def set_rule(self, place: str, rule: str, value: str) -> Policy:
        """Change one rule of ``place`` from what was typed, and return the rules.

        Raises:
            NotAChoice: no such rule, mode or language.
            NotANumber, OutOfRange: no such number.
            RuleLocksOut: nobody could do anything there.
        """
        typed = value.strip().lower()
        if rule == "language" and typed not in {*languages(), *CLEARED}:
            raise NotAChoice(rule, value[:40], ", ".join(languages()))
        return await self._services.moderation.set_rule(self._operator, place, rule, value)

    async def forbidden_word(self, place: str, sentence: str) -> tuple[str, str] | None:
        """Return the rule and the word that forbid ``sentence`` in ``place``; None if none does."""
        for policy in await self._services.moderation.policies(place):
            found = policy.found_words([sentence], age_gated=False)
            if found is not None:
                return found
        return None

    def styles(self, place: str) -> PlaceStyles:
        """Return what changes the styles and defaults of ``place``, or of all places."""
        return self._services.styles(self._operator, place)

    @property
    def feed(self) -> OperatorFeed:
        """Return what steers feeds, in the operator's name."""
        return OperatorFeed(self._services.feed, self._operator)

    async def audit(self, limit: int) -> list[AuditEntry]:
        """Return the newest entries of the audit log, newest first."""
        return await self._services.audit_log.entries(limit)

    async def note(self, verb: str, target: str) -> None:
        """Write down what the operator did by another way than this."""
        await self._note(verb, target)

    async def _note(self, verb: str, target: str, detail: str = "") -> None:
        await self._services.audit_log.note(self._operator, verb, target, detail)
