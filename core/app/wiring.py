"""Make the parts of the core from the settings and give each what it needs of the others."""

from core.accounts.alerts import ChatAlerts
from core.accounts.community import Community
from core.accounts.file_ownership import UPLOAD_MS, FileOwnership
from core.accounts.quotas import Quotas
from core.accounts.weights import Shares
from core.app.core import Core
from core.app.delivery_metrics import CountedOutbox
from core.app.executor_choice import memory_of, place_of
from core.app.finishing import finisher
from core.app.housekeeping_metrics import TimedHousekeeping
from core.app.maintenance import Housekeeping
from core.app.model_files import missing_files
from core.app.pruning import Pruning
from core.app.rules import (
    fitted_folder,
    folders,
    kept,
    media_limits,
    queue_rules,
    readiness_limits,
    router_rules,
    worker_rules,
)
from core.app.run_metrics import RunFigures
from core.app.run_recorder import run_recorder
from core.app.self_check import SelfCheck
from core.app.worker_signs import WatchedQueue
from core.delivery.position_updates import PositionPublisher
from core.delivery.router import DeliveryRouter
from core.domain.people import Requester
from core.interfaces.executor import Executor
from core.media.intake.store import MediaStore
from core.models.catalog import Profile
from core.queue.forecasts import Forecasts
from core.queue.intake import IntakeSwitch
from core.queue.recovery import Recovery
from core.queue.time_guard import StepRules, TimeGuard
from core.runtime.clock import Clock
from core.runtime.notifier import LocalDispatcher
from core.runtime.progress_hub import ProgressHub
from core.service.admission import FileAdmission
from core.service.cancellation import Cancellation
from core.service.deletion import Eraser
from core.service.estimator import RunBook
from core.service.follow_ups import FollowUps
from core.service.front_board import FrontBoard
from core.service.health import HealthReader
from core.service.operator_api import OperatorApi, OperatorServices
from core.service.ownership import Ownership
from core.service.preview import Previewer
from core.service.readiness import ReadinessReader
from core.service.scratch import Scratch
from core.service.submission import Submission
from core.service.user_accounts import UserAccounts
from core.service.user_api import UserApi
from core.service.user_files import UserFiles
from core.service.user_services import UserServices
from core.service.views import ServiceRules
from core.settings import Settings
from core.storage.database import Database, database_path
from core.storage.dead_letters import DeadDeliveries
from core.storage.health_figures import HealthFigures
from core.storage.job_queries import JobQueries
from core.storage.traces import Traces
from core.worker.device_watch import DeviceWatch
from core.worker.worker import Worker


class _Parts:
    """What several parts need, made once."""

    def __init__(
        self, settings: Settings, database: Database, executor: Executor, clock: Clock
    ) -> None:
        self.settings = settings
        self.database = database
        self.executor = executor
        self.clock = clock
        self.hub = ProgressHub()
        self.dispatcher = LocalDispatcher()
        rules, clips = queue_rules(settings), settings.clips_folder
        self.queue = WatchedQueue(database, rules, clips, clock, self._set_aside)
        self.jobs = JobQueries(database, clips)
        retry_ms = round(router_rules(settings).longest_wait_s * 1000)
        self.time_guard = TimeGuard(database, clock, StepRules.of(rules, UPLOAD_MS, retry_ms))
        self.recovery = Recovery(
            database, rules, clips, clock, self.time_guard, self.dispatcher.owns
        )
        self.forecasts = Forecasts(database, rules, clips, clock)
        self.quotas = Quotas(database, rules.quota, clock)
        self.intake = IntakeSwitch(database)
        self.figures = RunFigures()
        self.outbox = CountedOutbox(database, settings.clips_folder, clock)
        self.outbox.count_into(self.figures.registry)
        self.router = DeliveryRouter(self.outbox, self.hub, self.jobs.get, router_rules(settings))
        self.media = MediaStore(settings.media_folder, media_limits(settings))
        self.files = FileOwnership(database, kept(settings), clock)
        self.community = Community.on(database, clock, settings.people.operator_keys(), rules.quota)
        self.traces = Traces(database, database_path(settings.database))
        self.scratch = Scratch(settings.comfy_folder)
        self.eraser = Eraser(
            self.queue,
            self.jobs,
            self.files,
            fitted_folder(settings),
            settings.latents_folder,
            self.traces,
            self.community,
            self.scratch,
        )
        self.runs = RunBook(
            database, place_of(executor, settings), clock, memory_of(executor), settings.comfy.vram
        )
        self.watch = DeviceWatch()
        self.rules = ServiceRules(
            settings.requests.limits(), settings.data_dir, settings.retention.min_free_megabytes
        )
        self.fronts = FrontBoard()
        self.alerts = ChatAlerts(
            database,
            clock,
            settings.people.operator_keys(),
            self.community.notices,
            enabled=settings.alerts.enabled,
        )
        self.outbox.on_dead = self._tell_dead

    async def _tell_dead(self, job_id: str, reason: str) -> None:
        await self.alerts.send("delivery_dead", {"job_id": job_id, "reason": reason})

    def _set_aside(self, job_id: str) -> None:
        """Let go of who watches a job that could not be read, and have its owner told."""
        self.hub.close(job_id)
        self.router.wake()

    def changed(self) -> None:
        """Let everybody look at the rows again."""
        self.dispatcher.wake()
        self.router.wake()


class _Services:
    """What answers people and operators, over the parts."""

    def __init__(self, parts: _Parts) -> None:
        self.health = HealthReader(
            parts.jobs, parts.intake, parts.rules, lambda: parts.watch.lost is not None
        )
        self.admission = FileAdmission(
            parts.media, parts.files, parts.rules, parts.settings.work_folder
        )
        self.cancellation = Cancellation(
            queue=parts.queue,
            jobs=parts.jobs,
            eraser=parts.eraser,
            dispatcher=parts.dispatcher,
            hub=parts.hub,
            on_owed=parts.router.wake,
        )
        self.submission = Submission(
            queue=parts.queue,
            jobs=parts.jobs,
            forecasts=parts.forecasts,
            files=parts.files,
            admission=self.admission,
            dispatcher=parts.dispatcher,
            hub=parts.hub,
            estimate=parts.runs.estimate,
            check_budget=parts.runs.check_budget,
            rules=parts.rules,
        )
        self.previewer = Previewer(
            parts.rules.limits,
            parts.runs,
            missing_files(parts.settings),
            Profile(parts.settings.models.profile),
            parts.executor.name,
            parts.clock,
        )


def build(settings: Settings, database: Database, executor: Executor, clock: Clock) -> Core:
    """Return the core over an open database; nothing of it runs yet."""
    parts = _Parts(settings, database, executor, clock)
    services = _Services(parts)
    operators = _operator_api(parts, services)
    return Core(
        settings=settings,
        users=_user_api(parts, services, operators),
        operators=operators,
        submission=services.submission,
        cancellation=services.cancellation,
        admission=services.admission,
        files=parts.files,
        community=parts.community,
        health=services.health,
        queue=parts.queue,
        jobs=parts.jobs,
        forecasts=parts.forecasts,
        quotas=parts.quotas,
        intake=parts.intake,
        recovery=parts.recovery,
        time_guard=parts.time_guard,
        router=parts.router,
        worker=_worker(parts),
        hub=parts.hub,
        media=parts.media,
        outbox=parts.outbox,
        database=database,
        executor=executor,
        runs=parts.runs,
        figures=parts.figures,
        housekeeping=_housekeeping(parts),
        readiness=_readiness(parts),
        fronts=parts.fronts,
        alerts=parts.alerts,
        positions=PositionPublisher(parts.jobs, parts.forecasts, parts.hub),
    )


def _operator_api(parts: _Parts, services: _Services) -> OperatorApi:
    steered = OperatorServices(
        jobs=parts.jobs,
        intake=parts.intake,
        quotas=parts.quotas,
        cancellation=services.cancellation,
        linked=parts.community.accounts,
        moderation=parts.community.moderation,
        audit_log=parts.community.audit,
        health=services.health,
        dead=DeadDeliveries(parts.database, parts.clock),
        on_owed=parts.router.wake,
    )
    return OperatorApi(steered, Requester("cli", "nobody"))


def _user_api(parts: _Parts, services: _Services, operators: OperatorApi) -> UserApi:
    settings, limits = parts.settings, parts.rules.limits
    checked = UserServices(
        jobs=parts.jobs,
        forecasts=parts.forecasts,
        submission=services.submission,
        cancellation=services.cancellation,
        follow_ups=FollowUps(services.admission, limits, services.previewer.smaller),
        previewer=services.previewer,
        owned=Ownership(parts.jobs, parts.forecasts, parts.quotas, parts.community.accounts),
        accounts=UserAccounts(parts.community.accounts),
        moderation=parts.community.moderation,
        operators=operators,
    )
    files = UserFiles(services.admission, parts.files, settings.retention.days)
    shares = Shares.parse(settings.queue.shares)
    return UserApi(checked, files, shares, limits, settings.media.limits())


def _worker(parts: _Parts) -> Worker:
    return Worker(
        queue=parts.queue,
        jobs=parts.jobs,
        executor=parts.executor,
        finish=finisher(parts.settings),
        record=run_recorder(parts.runs, parts.figures, parts.clock),
        shares=lambda request: parts.runs.estimate(request).shares(),
        dispatcher=parts.dispatcher,
        hub=parts.hub,
        watch=parts.watch,
        alerts=parts.alerts,
        on_outcome=parts.router.wake,
        media_folder=parts.settings.media_folder,
        work_folder=parts.settings.work_folder,
        rules=worker_rules(parts.settings),
    )


def _readiness(parts: _Parts) -> ReadinessReader:
    return ReadinessReader(
        figures=HealthFigures(parts.database),
        rules=parts.rules,
        worker=parts.queue,
        device_lost=lambda: parts.watch.lost is not None,
        fronts=parts.fronts,
        limits=readiness_limits(parts.settings),
        clock=parts.clock,
    )


def _housekeeping(parts: _Parts) -> Housekeeping:
    chores = TimedHousekeeping(
        recovery=parts.recovery,
        guard=parts.time_guard,
        checking=SelfCheck(parts.database),
        pruning=Pruning(
            queue=parts.queue,
            database=parts.database,
            eraser=parts.eraser,
            files=parts.files,
            folders=folders(parts.settings),
            traces=parts.traces,
            scratch=parts.scratch,
            clock=parts.clock,
        ),
        hub=parts.hub,
        on_change=parts.changed,
        database=parts.database,
        data_dir=parts.settings.data_dir,
    )
    chores.measure_into(parts.figures.registry)
    return chores
