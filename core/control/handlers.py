"""Answer commands, in the name of who sent them; the same for a socket and for the idle core."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence

from core.accounts.program_tokens import TokenOrder
from core.control.commands import (
    AdmitMachine,
    CancelJob,
    CheckInvariants,
    Command,
    DropFeed,
    ForgetPerson,
    GenerateClip,
    GrantQuota,
    IssueToken,
    KeepStyles,
    ListDeadLetters,
    ListFeeds,
    ListJobs,
    ListPosts,
    ListTokens,
    ReadLogs,
    ReadStatus,
    ReadStyles,
    ReviveDeliveries,
    RevokeMachine,
    RevokeToken,
    SetIntake,
    ShowJob,
    ShowQuota,
    TakeDownPost,
)
from core.control.generation import ClipOrder
from core.control.peer import LocalOperator
from core.control.reports import (
    Contradiction,
    FeedChannelReport,
    FeedPostReport,
    ForgottenReport,
    JobReport,
    LogLine,
    MachineReport,
    Report,
    ServiceStatus,
    StylesReport,
    TokenReport,
)
from core.control.service import SteeredService
from core.domain.feed import FeedPost
from core.domain.jobs import Job
from core.domain.people import Requester
from core.domain.quota import QuotaView
from core.domain.time_units import MINUTE_MS
from core.service.operator_feed import OperatorFeed
from core.storage.dead_letters import DeadDelivery

FeedCommand = ListFeeds | DropFeed | ListPosts | TakeDownPost


class CommandHandlers:
    """Answers the commands of one :class:`LocalOperator`."""

    def __init__(self, service: SteeredService, operator: LocalOperator) -> None:
        """Take the service, and in whose name everything is done."""
        self._service = service
        self._operator = operator
        self._api = service.operators.acting_as(operator.audited_as)

    async def answer(self, command: Command, stop: asyncio.Event) -> AsyncIterator[Report]:
        """Do what ``command`` says and yield its answer, record by record.

        Args:
            command: of :data:`core.control.commands.VERBS`.
            stop: set where who asked wants a command that lasts to end.

        Raises:
            ClapperError: it cannot be done.
        """
        stream = self._stream(command, stop)
        if stream is None:
            for item in await self._at_once(command):
                yield item
            return
        async for item in stream:
            yield item

    def _stream(self, command: Command, stop: asyncio.Event) -> AsyncIterator[Report] | None:
        """Return what comes piece by piece; None for what is answered at once."""
        match command:
            case ReadLogs():
                return self._logs(command, stop)
            case GenerateClip():
                return ClipOrder(self._service, self._operator.requester, command).run(stop)
            case ListJobs():
                return self._listed(command)
            case _:
                return None

    async def _at_once(self, command: Command) -> list[Report]:
        if isinstance(command, FeedCommand):
            return [*await self._feed(command)]
        if isinstance(command, ReadStyles | KeepStyles):
            return [await self._styles(command)]
        return await self._about_service(command)

    async def _about_service(self, command: Command) -> list[Report]:
        match command:
            case ShowJob() | CancelJob():
                return [JobReport.of(job) for job in await self._jobs(command)]
            case ShowQuota() | GrantQuota() | ForgetPerson():
                return [await self._account(command)]
            case SetIntake() | ReadStatus():
                return [await self._status(command)]
            case AdmitMachine() | RevokeMachine():
                return [await self._machine(command)]
            case IssueToken() | ListTokens() | RevokeToken():
                return [*await self._tokens(command)]
            case ListDeadLetters() | ReviveDeliveries():
                return [*await self._dead(command)]
            case CheckInvariants():
                return [Contradiction(text) for text in await self._service.check()]
            case _:  # the two that last
                raise TypeError(command)

    async def _tokens(self, command: IssueToken | ListTokens | RevokeToken) -> list[TokenReport]:
        match command:
            case IssueToken(name, scopes, minutes, days, webhook):
                limit_ms = None if minutes is None else round(minutes * MINUTE_MS)
                order = TokenOrder(name, frozenset(scopes), limit_ms, days, webhook)
                return [TokenReport.of_new(await self._api.issue_token(order))]
            case ListTokens():
                return [TokenReport.of(row) for row in await self._api.tokens()]
            case RevokeToken(named):
                return [TokenReport.of(row) for row in await self._api.revoke_token(named)]

    async def _feed(
        self, command: FeedCommand
    ) -> Sequence[FeedChannelReport] | Sequence[FeedPostReport]:
        feed = self._api.feed
        match command:
            case TakeDownPost(typed):
                return await _counted(feed, [await feed.take_down(typed)])
            case ListPosts(limit):
                return await _counted(feed, await feed.posts(limit))
            case DropFeed(place, kind):
                await feed.drop(place, kind)
            case ListFeeds():
                pass
        return [FeedChannelReport.of(one) for one in await feed.channels()]

    async def _dead(self, command: ListDeadLetters | ReviveDeliveries) -> list[DeadDelivery]:
        if isinstance(command, ListDeadLetters):
            return await self._api.dead_deliveries(command.limit)
        return await self._api.revive_deliveries(command.job_id)

    async def _listed(self, command: ListJobs) -> AsyncIterator[JobReport]:
        """Give every job once: what lives, then the newest ones of a requester."""
        told = set[str]()
        async for page in self._api.each_live():
            for job in page:
                if job.id not in told:
                    told.add(job.id)
                    yield JobReport.of(job)
        for job in await self._api.jobs_of(Requester.from_key(command.requester), command.limit):
            if job.id not in told:
                yield JobReport.of(job)

    async def _jobs(self, command: ShowJob | CancelJob) -> list[Job]:
        match command:
            case ShowJob(job_id):
                return [await self._api.job(job_id)]
            case CancelJob(job_id):
                return [await self._api.cancel(job_id)]

    async def _machine(self, command: AdmitMachine | RevokeMachine) -> MachineReport:
        machines, name = self._service.machines, command.name
        if isinstance(command, AdmitMachine):
            report = MachineReport(name, await machines.admit(name))
            await self._api.note("admit_machine", name)
            return report
        await machines.revoke(name)
        await self._api.note("revoke_machine", name)
        return MachineReport(name)

    async def _styles(self, command: ReadStyles | KeepStyles) -> StylesReport:
        place = self._api.styles(command.place)
        if isinstance(command, KeepStyles):
            await place.read_in(command.toml)
        names = [one.name for one in (await place.read()).styles]
        return StylesReport(command.place, names, await place.export())

    async def _account(
        self, command: ShowQuota | GrantQuota | ForgetPerson
    ) -> QuotaView | ForgottenReport:
        who = Requester.from_key(command.requester)
        match command:
            case ShowQuota():
                return await self._api.quota(who, command.place)
            case GrantQuota():
                return await self._api.quota(await self._api.grant(who, command.minutes))
            case ForgetPerson():
                gone = await self._api.forget(who)
                return ForgottenReport([one.key for one in gone.accounts], gone.jobs)

    async def _status(self, command: SetIntake | ReadStatus) -> ServiceStatus:
        service = self._service
        if isinstance(command, SetIntake):
            await self._api.set_intake(command.state)
        health = await self._api.health()
        return ServiceStatus(
            serving=service.serving,
            intake=health.intake,
            running=health.running,
            waiting=health.waiting,
            data_dir=str(health.data_dir),
            free_bytes=health.free_bytes,
            version=service.version,
            pid=os.getpid() if service.serving else 0,
            dead_deliveries=await self._api.count_dead_deliveries(),
            troubles=await service.troubles(),
        )

    async def _logs(self, command: ReadLogs, stop: asyncio.Event) -> AsyncIterator[LogLine]:
        lines = self._service.lines
        with lines.followed() as coming:
            for text in lines.newest(command.lines):
                yield LogLine(text)
            if not command.follow:
                return
            stopped = asyncio.create_task(stop.wait())
            try:
                while not stop.is_set():
                    line = asyncio.create_task(coming.get())
                    await asyncio.wait({line, stopped}, return_when=asyncio.FIRST_COMPLETED)
                    if line.done():
                        yield LogLine(line.result())
                    else:
                        line.cancel()
            finally:
                stopped.cancel()


async def _counted(feed: OperatorFeed, posts: Sequence[FeedPost]) -> list[FeedPostReport]:
    counts = await feed.report_counts(posts)
    return [FeedPostReport.of(post, counts.get(post.id, 0)) for post in posts]
