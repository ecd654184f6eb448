"""What several parts of the core need, made once, in the order in which they need each other."""

from core.accounts.alerts import ChatAlerts
from core.accounts.community import Community
from core.accounts.file_ownership import UPLOAD_MS, FileOwnership
from core.accounts.quotas import Quotas
from core.app.bucket_access import BucketAccess
from core.app.bus_choice import delivery_lease_ms, row_version_of, terms_of
from core.app.delivery_metrics import CountedOutbox
from core.app.joining import (
    Deployment,
    Membership,
    abandoned_jobs,
    claimant_of,
    file_place,
    own_work_folder,
    run_book,
)
from core.app.lease_sweep import LeaseSweep
from core.app.rules import (
    allowed_entries,
    fitted_folder,
    kept,
    media_limits,
    queue_rules,
    router_rules,
)
from core.app.run_metrics import RunFigures
from core.app.worker_signs import WatchedQueue
from core.bus.bus import Bus
from core.delivery.feed_posts import OwedPosts
from core.delivery.router import DeliveryRouter
from core.domain.feed import FeedPost
from core.domain.jobs import Job
from core.feed.feed import Feed
from core.interfaces.executor import Executor, has_own_device, orders_at_once
from core.interfaces.nodes import Nodes
from core.media.intake.store import MediaStore
from core.queue.forecasts import Forecasts
from core.queue.intake import IntakeSwitch
from core.queue.recovery import Recovery
from core.queue.standing_watch import StandingWatch
from core.queue.time_guard import StepRules, TimeGuard
from core.runtime.clock import Clock
from core.runtime.notifier import LocalDispatcher
from core.runtime.progress_hub import ProgressHub
from core.service.deletion import Eraser
from core.service.front_board import FrontBoard
from core.service.scratch import Scratch
from core.service.views import ServiceRules
from core.settings import Settings
from core.storage.database import Database
from core.storage.feed_outbox import FeedOutbox
from core.storage.job_queries import JobQueries
from core.storage.traces import Traces
from core.worker.device_watch import DeviceWatch


class Parts:
    """What several parts need, made once."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        executor: Executor,
        access: BucketAccess,
        clock: Clock,
        bus: Bus,
        nodes: Nodes,
        deployment: Deployment,
    ) -> None:
        self.settings = settings
        self.artefacts, self.links = access.artefacts, access.links
        self.database = database
        self.executor = executor
        self.clock = clock
        self._join(bus, nodes, deployment)
        self.hub = ProgressHub(self.peers)
        self.dispatcher = LocalDispatcher(self.peers)
        self._line_up()
        self.watch = DeviceWatch(own=has_own_device(executor))
        self.fronts = FrontBoard()
        self.figures = RunFigures()
        self.community = Community.on(
            database,
            clock,
            settings.people.operator_keys(),
            queue_rules(settings).quota,
            allowed_entries(settings),
        )
        self.feed = Feed.on(
            database, clock, self.community, settings.people.operator_keys(), self.owed
        )
        self.runs = run_book(settings, deployment, database, executor, nodes, clock)
        self.rules = ServiceRules(
            settings.requests.limits(), settings.data_dir, settings.retention.min_free_megabytes
        )
        self._tell()
        self._keep_files()

    def _line_up(self) -> None:
        """Make what moves jobs and tells where they stand."""
        settings, database, clock, nodes = self.settings, self.database, self.clock, self.nodes
        rules, clips = queue_rules(settings, orders_at_once(self.executor)), settings.clips_folder
        self.queue = WatchedQueue(
            database, rules, clips, clock, self._set_aside, claimant_of(nodes)
        )
        self.queue.nodes = nodes
        self.jobs = JobQueries(database, clips)
        retry_ms = round(router_rules(settings).longest_wait_s * 1000)
        self.time_guard = TimeGuard(database, clock, StepRules.of(rules, UPLOAD_MS, retry_ms))
        abandoned = abandoned_jobs(self.deployment, nodes, self.dispatcher.owns)
        self.recovery = Recovery(database, rules, clips, clock, self.time_guard, abandoned)
        self.forecasts = Forecasts(database, rules, clips, clock, nodes.slots)
        self.standings = StandingWatch(database, self.forecasts, self.row_version, clock)
        self.quotas = Quotas(database, rules.quota, clock)
        self.intake = IntakeSwitch(database)
        sweep = LeaseSweep(self.recovery, self.hub, self.changed)
        place = file_place(settings, self.deployment)
        self.membership = Membership(nodes, self.deployment, sweep, place)

    def _join(self, bus: Bus, nodes: Nodes, deployment: Deployment) -> None:
        """Make what connects this process with others at the same rows."""
        self.nodes, self.deployment = nodes, deployment
        self.work_folder = own_work_folder(self.settings, deployment, nodes)
        self.bus, self.peers = bus, bus.peers
        self.terms = terms_of(self.settings, self.database, nodes.id)
        self.row_version = row_version_of(self.settings, self.database)

    def _tell(self) -> None:
        """Make what tells people and operators."""
        settings, database, clock = self.settings, self.database, self.clock
        self.outbox = CountedOutbox(
            database, settings.clips_folder, clock, self.nodes.id, delivery_lease_ms(settings)
        )
        self.outbox.count_into(self.figures.registry)
        self.router = DeliveryRouter(
            self.outbox,
            self.hub,
            self.jobs.get,
            self.artefacts,
            router_rules(settings),
            self.jobs.drafts_of,
            self._owed_posts(),
        )
        self.alerts = ChatAlerts(
            database,
            clock,
            settings.people.operator_keys(),
            self.community.notices,
            enabled=settings.alerts.enabled,
        )
        self.outbox.on_dead = self.alerts.catch_up

    def _owed_posts(self) -> OwedPosts:
        """Make what posts in feeds, by the rules of that moment."""
        lease_ms = delivery_lease_ms(self.settings)
        rows = FeedOutbox(self.database, self.clock, self.nodes.id, lease_ms)
        rows.operators = self.settings.people.operator_keys()
        rows.on_notice = self.community.notices.wake
        rules = self.feed.rules

        async def check(post: FeedPost, job: Job) -> None:
            await rules.check(job, post.maker, post.target)

        return OwedPosts(rows, self.artefacts, self.jobs.get, check)

    def _keep_files(self) -> None:
        """Make what takes files in and what removes them."""
        settings, database = self.settings, self.database
        self.media = MediaStore(settings.media_folder, media_limits(settings))
        self.files = FileOwnership(database, kept(settings), self.artefacts, self.clock)
        self.traces = Traces(database)
        self.scratch = Scratch(settings.comfy_folder)
        self.eraser = Eraser(
            self.queue,
            self.jobs,
            self.files,
            self.artefacts,
            fitted_folder(settings),
            settings.latents_folder,
            self.traces,
            self.community,
            self.scratch,
            self.feed.posts,
        )

    def _set_aside(self, job_id: str) -> None:
        """Let go of who watches a job that could not be read, and have its owner told."""
        self.hub.close(job_id)
        self.owed()

    def owed(self) -> None:
        """Have looked at what is owed, wherever it is delivered."""
        self.router.wake()
        self.peers.owed()

    def changed(self) -> None:
        """Let everybody look at the rows again."""
        self.dispatcher.wake()
        self.owed()
