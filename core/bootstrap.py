"""Builds the core from the settings, in the order that makes a restart safe, and takes it down.

The data directory is locked first and the intake opened last; between them the database is
checked, migrated, recovered and checked again.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import structlog

from core.attempt import Ran
from core.choose import choose_executor, place_of
from core.clock import Clock, now_ms
from core.community import Community
from core.desk import Desk
from core.dispatch import LocalDispatcher
from core.erasure import Eraser
from core.executor import CancelToken, Executor, Order
from core.housekeeping import Housekeeping, empty
from core.hub import ProgressHub
from core.line import LineCrier
from core.media.finish import finish
from core.media.kinds import Clip, RawClip
from core.media.provenance import Provenance
from core.media.store import MediaStore
from core.messages import say
from core.problems import DatabaseDamaged
from core.queue import JobQueue, QueueRules
from core.router import DeliveryRouter
from core.runs import RunBook, timings_of
from core.service import GenerationService
from core.settings import Settings
from core.storage.database import Database, open_database
from core.storage.outbox import Outbox
from core.storage.runs import Run
from core.tuning import folders, router_rules, worker_rules
from core.views import ServiceRules
from core.worker import Finish, Record, Worker

log = structlog.get_logger(__name__)

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
    housekeeping: Housekeeping
    crier: LineCrier
    desk: Desk

    async def run(self, stop: asyncio.Event) -> None:
        """Work and deliver until ``stop`` is set, then end what runs and hand over what is due."""
        worked = asyncio.Event()
        self.service.stopping(now=False)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._close_intake(stop))
            tasks.create_task(self.crier.run(stop))
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
        DataDirectoryBusy: another process uses the data directory.
        DatabaseDamaged: the database contradicts itself.
        SchemaTooNew: written by a newer version.
        ComfyUnavailable: ComfyUI was asked for by name and cannot run.
    """
    for folder in (settings.media_folder, settings.clips_folder):
        folder.mkdir(parents=True, exist_ok=True)
    announce = announce or log.info
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(
            open_database(settings.database, settings.data_dir, clock)
        )
        await asyncio.to_thread(empty, settings.work_folder)
        executor = executor or choose_executor(settings, announce)
        stack.push_async_callback(executor.close)
        core = _build(settings, database, executor, clock)
        await core.runs.open()
        await _recover(core, announce)
        yield core


async def _recover(core: Core, announce: Announce) -> None:
    """Put in order what the last process left.

    Raises:
        DatabaseDamaged: the rows contradict each other.
    """
    recovery = await core.queue.recover()
    if recovery.violations:
        raise DatabaseDamaged("; ".join(str(item) for item in recovery.violations[:5]))
    if recovery.requeued or recovery.lost:
        announce(say("jobs_recovered", {"requeued": recovery.requeued, "failed": recovery.lost}))


def _build(settings: Settings, database: Database, executor: Executor, clock: Clock) -> Core:
    hub = ProgressHub()
    dispatcher = LocalDispatcher()
    queue = JobQueue(database, QueueRules.of(settings), settings.clips_folder, clock)
    outbox = Outbox(database, settings.clips_folder, clock)
    router = DeliveryRouter(outbox, hub, queue.get, router_rules(settings))
    media = MediaStore(settings.media_folder, settings.media_limits())
    eraser = Eraser(queue, settings.media_folder)
    runs = RunBook(database, place_of(executor, settings), clock)
    service = GenerationService(
        queue=queue,
        media=media,
        eraser=eraser,
        dispatcher=dispatcher,
        hub=hub,
        estimate=runs.estimate,
        on_owed=router.wake,
        rules=ServiceRules(
            settings.request_limits(), settings.data_dir, settings.min_free_megabytes
        ),
    )
    worker = Worker(
        queue=queue,
        executor=executor,
        finish=_finisher(settings),
        record=_recorder(runs, clock),
        dispatcher=dispatcher,
        hub=hub,
        on_outcome=router.wake,
        media_folder=settings.media_folder,
        work_folder=settings.work_folder,
        rules=worker_rules(settings),
    )

    def changed() -> None:
        dispatcher.wake()
        router.wake()

    housekeeping = Housekeeping(
        queue=queue,
        database=database,
        eraser=eraser,
        hub=hub,
        folders=folders(settings),
        on_change=changed,
        clock=clock,
    )
    return Core(
        settings=settings,
        service=service,
        queue=queue,
        router=router,
        worker=worker,
        hub=hub,
        media=media,
        outbox=outbox,
        database=database,
        executor=executor,
        runs=runs,
        housekeeping=housekeeping,
        crier=LineCrier(queue, hub),
        desk=Desk(service, Community(database, clock, settings.operator_keys())),
    )


def _finisher(settings: Settings) -> Finish:
    async def to_clip(raw: RawClip, order: Order, cancel: CancelToken) -> Clip:
        provenance = Provenance.of(
            order.job_id, order.request, with_prompt=settings.prompt_in_metadata
        )
        return await finish(raw, settings.clips_folder, provenance, cancel)

    return to_clip


def _recorder(runs: RunBook, clock: Clock) -> Record:
    async def record(ran: Ran) -> None:
        job = ran.job
        request, sampling = job.request, job.request.sampling
        now = clock()
        await runs.record_run(
            Run(
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
                timings=timings_of(request, runs.machine, ran.stages),
            )
        )

    return record
