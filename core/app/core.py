"""The running core: everything between the fronts and the device, and how it runs and stops."""

import asyncio
from dataclasses import dataclass
from functools import partial

from core.accounts.alerts import ChatAlerts
from core.accounts.community import Community
from core.accounts.file_ownership import FileOwnership
from core.accounts.quotas import Quotas
from core.app.joining import Membership
from core.app.maintenance import Housekeeping
from core.app.run_metrics import RunFigures
from core.app.scaling_metrics import PoolFigures
from core.app.worker_signs import WatchedQueue
from core.bus.bucket_links import BucketLinks
from core.bus.bus import Bus
from core.bus.incoming import LocalEnds
from core.bus.row_version import RowVersion
from core.bus.while_held import run_while_held
from core.delivery.position_updates import PositionPublisher
from core.delivery.router import DeliveryRouter
from core.domain.nodes import NodeState
from core.domain.people import Requester
from core.feed.feed import Feed
from core.interfaces.artefacts import Artefacts
from core.interfaces.executor import Executor
from core.interfaces.nodes import Nodes
from core.interfaces.terms import CHORES, Term, Terms
from core.media.intake.store import MediaStore
from core.queue.forecasts import Forecasts
from core.queue.intake import IntakeSwitch
from core.queue.recovery import Recovery
from core.queue.time_guard import TimeGuard
from core.runtime.progress_hub import ProgressHub
from core.service.admission import FileAdmission
from core.service.cancellation import Cancellation
from core.service.estimator import RunBook
from core.service.front_board import FrontBoard
from core.service.health import HealthReader
from core.service.operator_api import OperatorApi
from core.service.pool_estimates import PoolRunBook
from core.service.readiness import ReadinessReader
from core.service.submission import Submission
from core.service.user_api import UserApi
from core.settings import Settings
from core.storage.database import Database
from core.storage.job_queries import JobQueries
from core.storage.outbox import Outbox
from core.worker.driver import Driver
from core.worker.worker import Worker


@dataclass(frozen=True, slots=True)
class Core:
    """The parts of the service, for the program that runs them; no front ever holds it."""

    settings: Settings
    users: UserApi
    operators: OperatorApi  # in nobody's name yet
    submission: Submission
    cancellation: Cancellation
    admission: FileAdmission
    files: FileOwnership
    community: Community
    feed: Feed
    health: HealthReader
    queue: WatchedQueue
    jobs: JobQueries
    forecasts: Forecasts
    quotas: Quotas
    intake: IntakeSwitch
    recovery: Recovery
    time_guard: TimeGuard
    router: DeliveryRouter
    worker: Worker
    driver: Driver
    hub: ProgressHub
    bus: Bus
    ends: LocalEnds
    links: BucketLinks
    terms: Terms
    media: MediaStore
    artefacts: Artefacts
    outbox: Outbox
    database: Database
    row_version: RowVersion
    executor: Executor
    runs: RunBook
    figures: RunFigures
    housekeeping: Housekeeping
    positions: PositionPublisher
    readiness: ReadinessReader
    fronts: FrontBoard
    alerts: ChatAlerts
    membership: Membership
    pool_figures: PoolFigures

    @property
    def nodes(self) -> Nodes:
        """Return this process among others."""
        return self.membership.nodes

    async def run(self, stop: asyncio.Event) -> None:
        """Work and deliver until ``stop`` is set, then end what runs and hand over what is due."""
        worked = asyncio.Event()
        self.submission.close(closed=False)
        role = self.membership.deployment.role
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.bus.run(self.ends, worked))
            tasks.create_task(self.links.run(worked))
            if role.serves:
                self._begin_to_serve(tasks, stop, worked)
            else:
                tasks.create_task(self.housekeeping.run_own(stop))
            await self.nodes.enter(NodeState.READY)
            if role.works:
                await self.driver.run(self.worker, stop)
            else:
                await stop.wait()
            worked.set()

    def _begin_to_serve(
        self, tasks: asyncio.TaskGroup, stop: asyncio.Event, worked: asyncio.Event
    ) -> None:
        tasks.create_task(self._close_intake(stop))
        tasks.create_task(run_while_held(self.terms, CHORES, partial(self._lead, stop), stop))
        tasks.create_task(self.housekeeping.run(stop))
        tasks.create_task(self.router.run(worked))
        if isinstance(self.runs, PoolRunBook):
            tasks.create_task(self.runs.run(stop))

    async def _lead(self, stop: asyncio.Event, term: Term) -> None:
        """Do what one node does for all of them, while ``term`` is ours."""
        with self.pool_figures.telling(term):
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.positions.run(stop))
                if not self.nodes.alone:
                    tasks.create_task(self.membership.sweep.run(stop))

    async def _close_intake(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self.submission.close(closed=True)

    async def move_place(self, old: str, new: str) -> None:
        """Let everything that is known of a place follow it to a new name."""
        await self.community.move_place(old, new)
        await self.feed.channels.move_place(old, new)

    def local_operator(self, requester: Requester) -> OperatorApi:
        """Return the door of operators for who opened the data directory: they may do anything."""
        return self.operators.acting_as(requester)
