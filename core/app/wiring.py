"""Make the parts of the core from the settings and give each what it needs of the others."""

from core.accounts.file_ownership import FileOwnership
from core.accounts.moderation import Community
from core.accounts.weights import Shares
from core.app.core import Core
from core.app.executor_choice import memory_of, place_of
from core.app.maintenance import Housekeeping
from core.app.rules import (
    fitted_folder,
    folders,
    kept,
    queue_rules,
    router_rules,
    worker_rules,
)
from core.app.run_metrics import RunFigures
from core.delivery.position_updates import PositionPublisher
from core.delivery.router import DeliveryRouter
from core.domain.media import Clip, RawClip
from core.domain.people import Requester
from core.interfaces.executor import Executor, Order
from core.media.intake.store import MediaStore
from core.media.output.clip_writer import finish
from core.media.output.provenance import Provenance
from core.models.catalog import Profile
from core.models.setup import open_store
from core.queue.job_queue import JobQueue
from core.runtime.cancellation import CancelToken
from core.runtime.clock import Clock
from core.runtime.notifier import LocalDispatcher
from core.runtime.progress_hub import ProgressHub
from core.service.admission import FileAdmission
from core.service.cancellation import Cancellation
from core.service.deletion import Eraser
from core.service.estimator import RunBook, timings_of
from core.service.follow_ups import FollowUps
from core.service.health import HealthReader
from core.service.operator_api import OperatorApi, OperatorServices
from core.service.preview import Previewer
from core.service.submission import Submission
from core.service.user_api import UserApi, UserServices
from core.service.user_files import UserFiles
from core.service.views import ServiceRules
from core.settings import Settings
from core.storage.database import Database
from core.storage.outbox import Outbox
from core.storage.runs import Run
from core.worker.attempt import RunRecord
from core.worker.outcome_writer import Record
from core.worker.worker import Finish, Worker


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
        self.queue = JobQueue(database, queue_rules(settings), settings.clips_folder, clock)
        self.outbox = Outbox(database, settings.clips_folder, clock)
        self.router = DeliveryRouter(self.outbox, self.hub, self.queue.get, router_rules(settings))
        self.media = MediaStore(settings.media_folder, settings.media.limits())
        self.files = FileOwnership(database, kept(settings), clock)
        self.eraser = Eraser(
            self.queue, self.files, fitted_folder(settings), settings.latents_folder
        )
        self.runs = RunBook(
            database, place_of(executor, settings), clock, memory_of(executor), settings.comfy.vram
        )
        self.figures = RunFigures()
        self.community = Community(
            database, clock, settings.people.operator_keys(), queue_rules(settings).quota
        )
        self.rules = ServiceRules(
            settings.requests.limits(), settings.data_dir, settings.retention.min_free_megabytes
        )
        self.health = HealthReader(self.queue, self.rules)
        self.admission = FileAdmission(self.media, self.files, self.rules, settings.work_folder)
        self.cancellation = Cancellation(
            queue=self.queue,
            eraser=self.eraser,
            dispatcher=self.dispatcher,
            hub=self.hub,
            on_owed=self.router.wake,
        )
        self.submission = Submission(
            queue=self.queue,
            files=self.files,
            admission=self.admission,
            dispatcher=self.dispatcher,
            hub=self.hub,
            estimate=self.runs.estimate,
            check_budget=self.runs.check_budget,
            rules=self.rules,
        )

        self.previewer = Previewer(
            self.rules.limits,
            self.runs,
            open_store(settings).missing,
            Profile(settings.models.profile),
            executor.name,
            clock,
        )

    def changed(self) -> None:
        """Let everybody look at the rows again."""
        self.dispatcher.wake()
        self.router.wake()


def build(settings: Settings, database: Database, executor: Executor, clock: Clock) -> Core:
    """Return the core over an open database; nothing of it runs yet."""
    parts = _Parts(settings, database, executor, clock)
    operators = OperatorApi(
        OperatorServices(
            queue=parts.queue,
            cancellation=parts.cancellation,
            linked=parts.community,
            moderation=parts.community,
            audit_log=parts.community,
            health=parts.health,
        ),
        Requester("cli", "nobody"),
    )
    return Core(
        settings=settings,
        users=_user_api(parts, operators),
        operators=operators,
        submission=parts.submission,
        cancellation=parts.cancellation,
        admission=parts.admission,
        files=parts.files,
        community=parts.community,
        health=parts.health,
        queue=parts.queue,
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
        positions=PositionPublisher(parts.queue, parts.hub),
    )


def _user_api(parts: _Parts, operators: OperatorApi) -> UserApi:
    settings, limits = parts.settings, parts.rules.limits
    services = UserServices(
        queue=parts.queue,
        submission=parts.submission,
        cancellation=parts.cancellation,
        follow_ups=FollowUps(parts.admission, limits, parts.previewer.smaller),
        previewer=parts.previewer,
        linked=parts.community,
        moderation=parts.community,
        operators=operators,
    )
    files = UserFiles(parts.admission, parts.files, settings.retention.days)
    shares = Shares.parse(settings.queue.shares)
    return UserApi(services, files, shares, limits, settings.media.limits())


def _worker(parts: _Parts) -> Worker:
    return Worker(
        queue=parts.queue,
        executor=parts.executor,
        finish=_finisher(parts.settings),
        record=_recorder(parts),
        shares=lambda request: parts.runs.estimate(request).shares(),
        dispatcher=parts.dispatcher,
        hub=parts.hub,
        on_outcome=parts.router.wake,
        media_folder=parts.settings.media_folder,
        work_folder=parts.settings.work_folder,
        rules=worker_rules(parts.settings),
    )


def _housekeeping(parts: _Parts) -> Housekeeping:
    return Housekeeping(
        queue=parts.queue,
        database=parts.database,
        eraser=parts.eraser,
        files=parts.files,
        hub=parts.hub,
        folders=folders(parts.settings),
        on_change=parts.changed,
        clock=parts.clock,
    )


def _finisher(settings: Settings) -> Finish:
    async def to_clip(raw: RawClip, order: Order, cancel: CancelToken) -> Clip:
        provenance = Provenance.of(
            order.job_id, order.request, with_prompt=settings.retention.prompt_in_metadata
        )
        return await finish(raw, settings.clips_folder, provenance, cancel)

    return to_clip


def _recorder(parts: _Parts) -> Record:
    runs = parts.runs

    async def record(ran: RunRecord) -> None:
        run = _run_of(ran, runs, parts.clock())
        parts.figures.observe(run, ran.stages)
        await runs.record_run(run)

    return record


def _run_of(ran: RunRecord, runs: RunBook, now: int) -> Run:
    job, request, sampling = ran.job, ran.job.request, ran.job.request.sampling
    return Run(
        job_id=job.id,
        attempt=job.attempt,
        recorded_at_ms=now,
        place=runs.place,
        mode=request.mode,
        preset=sampling.preset,
        width=sampling.width,
        height=sampling.height,
        frames=sampling.frames,
        fps=sampling.fps,
        estimate_ms=job.estimate_ms,
        p95_ms=runs.estimate(request).p95_ms,
        gpu_ms=ran.gpu_ms,
        wait_ms=max(0, (job.started_at_ms or now) - job.created_at_ms),
        peak_bytes=ran.peak_bytes,
        error=ran.error,
        timings=() if ran.error else timings_of(request, runs.machine, ran.stages),
    )
