"""Builds the core from the settings, in the order that makes a restart safe, and takes it down.

The data directory is locked first and the intake opened last; between them the database is
checked, migrated, recovered and checked again.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import structlog

from core.accounts.file_ownership import FileOwnership
from core.accounts.moderation import Community
from core.accounts.weights import Shares
from core.app.executor_choice import choose_executor, memory_of, place_of
from core.app.maintenance import Housekeeping, make_folders
from core.app.rules import fitted_folder, folders, kept, router_rules, worker_rules
from core.app.run_metrics import RunFigures
from core.delivery.position_updates import PositionPublisher
from core.delivery.router import DeliveryRouter
from core.domain.media import Clip, RawClip
from core.errors.setup import DatabaseDamaged
from core.i18n.messages import say
from core.interfaces.executor import Executor, Order
from core.media.intake.store import MediaStore
from core.media.output.clip_writer import write_clip
from core.media.output.provenance import Provenance
from core.queue.job_queue import JobQueue, QueueRules
from core.runtime import file_names
from core.runtime.atomic_files import remove_parts
from core.runtime.cancellation import CancelToken
from core.runtime.clock import Clock, now_ms
from core.runtime.notifier import LocalDispatcher
from core.runtime.permissions import make_private
from core.runtime.progress_hub import ProgressHub
from core.service.deletion import Eraser
from core.service.estimator import RunBook, timings_of
from core.service.generation import GenerationService
from core.service.user_api import Desk
from core.service.views import ServiceRules
from core.settings import Settings
from core.storage.database import Database, open_database
from core.storage.outbox import Outbox
from core.storage.runs import Run
from core.worker.attempt import RunRecord
from core.worker.outcome_writer import Record
from core.worker.worker import Finish, Worker

log = structlog.get_logger(__name__)

_SHARED = frozenset({"models"})  # may hold links to files that others read too
Announce = Callable[[str], None]  # a sentence for the operator


@dataclass(frozen=True, slots=True)
class Core:
    """Everything between a front and the device."""

    settings: Settings
    service: GenerationService
    queue: JobQueue
    router: DeliveryRouter
    worker: Worker
    hub: ProgressHub
    media: MediaStore
    outbox: Outbox
    database: Database
    executor: Executor
    runs: RunBook
    figures: RunFigures
    housekeeping: Housekeeping
    positions: PositionPublisher
    desk: Desk

    async def run(self, stop: asyncio.Event) -> None:
        """Work and deliver until ``stop`` is set, then end what runs and hand over what is due."""
        worked = asyncio.Event()
        self.service.stopping(now=False)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._close_intake(stop))
            tasks.create_task(self.positions.run(stop))
            tasks.create_task(self.housekeeping.run(stop))
            tasks.create_task(self.router.run(worked))
            await self.worker.run(stop)
            worked.set()

    async def _close_intake(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self.service.stopping(now=True)


@asynccontextmanager
async def open_core(
    settings: Settings,
    executor: Executor | None = None,
    *,
    announce: Announce | None = None,
    clock: Clock = now_ms,
) -> AsyncGenerator[Core]:
    """Open everything, and close it in the reverse order.

    Args:
        settings: of the whole service.
        executor: to use instead of the one that the settings choose.
        announce: gets a sentence for everything the operator should see; the log without it.
        clock: epoch milliseconds.

    Yields:
        The core, recovered and ready; nothing runs before :meth:`Core.run`.

    Raises:
        DataDirectoryForeign: it is a folder of somebody else; nothing in it was changed.
        DataDirectoryBusy: another process uses the data directory.
        DatabaseDamaged: the database contradicts itself.
        SchemaTooNew: written by a newer version.
        ComfyUnavailable: ComfyUI was asked for by name and cannot run.
        BadConfiguration: nothing can be written to the data directory.
    """
    make_folders(settings)
    tell: Announce = announce or log.info
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(
            open_database(settings.database, settings.data_dir, clock)
        )
        await asyncio.to_thread(make_private, settings.data_dir, _SHARED)
        await asyncio.to_thread(file_names.remove_entries, settings.work_folder, file_names.WORK)
        for folder in (settings.media_folder, settings.clips_folder, fitted_folder(settings)):
            await asyncio.to_thread(remove_parts, folder)
        executor = executor or choose_executor(settings, tell)
        stack.push_async_callback(executor.close)
        core = _build(settings, database, executor, clock)
        await core.runs.open()
        await _recover(core, tell)
        yield core


async def _recover(core: Core, announce: Announce) -> None:
    """Put in order what the last process left.

    Raises:
        DatabaseDamaged: the rows contradict each other.
    """
    recovery = await core.queue.recover()
    if recovery.violations:
        raise DatabaseDamaged("; ".join(str(item) for item in recovery.violations[:5]))
    await core.service.files.sweep(unheld_s=0)
    if recovery.requeued or recovery.lost:
        announce(say("jobs_recovered", {"requeued": recovery.requeued, "failed": recovery.lost}))


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
        self.queue = JobQueue(database, QueueRules.of(settings), settings.clips_folder, clock)
        self.outbox = Outbox(database, settings.clips_folder, clock)
        self.router = DeliveryRouter(self.outbox, self.hub, self.queue.get, router_rules(settings))
        self.media = MediaStore(settings.media_folder, settings.media_limits())
        self.files = FileOwnership(database, kept(settings), clock)
        self.eraser = Eraser(
            self.queue,
            self.files,
            fitted_folder(settings),
            settings.latents_folder,
        )
        self.runs = RunBook(
            database, place_of(executor, settings), clock, memory_of(executor), settings.vram
        )
        self.figures = RunFigures()

    def changed(self) -> None:
        """Let everybody look at the rows again."""
        self.dispatcher.wake()
        self.router.wake()


def _build(settings: Settings, database: Database, executor: Executor, clock: Clock) -> Core:
    parts = _Parts(settings, database, executor, clock)
    service = _service(parts)
    community = Community(database, clock, settings.operator_keys(), QueueRules.of(settings).quota)
    return Core(
        settings=settings,
        service=service,
        desk=Desk(service, community, Shares.parse(settings.shares)),
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


def _service(parts: _Parts) -> GenerationService:
    settings = parts.settings
    return GenerationService(
        queue=parts.queue,
        media=parts.media,
        files=parts.files,
        work_folder=parts.settings.work_folder,
        eraser=parts.eraser,
        dispatcher=parts.dispatcher,
        hub=parts.hub,
        estimate=parts.runs.estimate,
        check_budget=parts.runs.check_budget,
        on_owed=parts.router.wake,
        rules=ServiceRules(
            settings.request_limits(), settings.data_dir, settings.min_free_megabytes
        ),
    )


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
            order.job_id, order.request, with_prompt=settings.prompt_in_metadata
        )
        return await write_clip(raw, settings.clips_folder, provenance, cancel)

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
