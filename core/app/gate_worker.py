"""A worker on a rented machine: its line of jobs and its files come through the gate.

It opens no database and no bucket, and knows of each job what is to be made, not for whom.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial

import structlog
from pydantic import SecretStr

from core import __version__
from core.app.executor_choice import choose_executor, memory_of, place_of
from core.app.finishing import finisher
from core.app.gate_health import gate_worker_health
from core.app.maintenance import make_folders
from core.app.process import end_in_time, on_signals, started
from core.app.rules import worker_rules
from core.artefacts.cache import NodeCache
from core.artefacts.opening import GIGABYTE
from core.domain.nodes import NodeRole
from core.domain.progress import Stage
from core.domain.requests import Request
from core.duration.estimates import estimate
from core.duration.hardware import hardware_for
from core.duration.launching import Launching
from core.duration.machine import Machine
from core.errors.gate import GateUnreachable
from core.gate.artefacts import GateArtefacts
from core.gate.client import GateClient
from core.gate.progress import GateProgress
from core.gate.wire import RentedMachine
from core.i18n.messages import say
from core.interfaces.alerts import LoggedAlerts
from core.interfaces.executor import Executor, has_own_device
from core.runtime import file_names
from core.runtime.notifier import LocalDispatcher
from core.runtime.progress_hub import ProgressHub
from core.runtime.tasks import outcome_of
from core.settings import Settings
from core.storage.lock import lock
from core.worker.attempt import RunRecord
from core.worker.device_watch import DeviceWatch
from core.worker.driver import Driver, LocalDriver
from core.worker.transfers import ArtefactTransfers
from core.worker.worker import Worker

log = structlog.get_logger(__name__)

POLL_S = 0.1  # the gate itself waits for a job
LEAD_S = 10.0
TELL_S = 10.0
CLOSE_S = 2.0  # as in core.app.bootstrap


@asynccontextmanager
async def open_gate_worker(
    settings: Settings,
    executor: Executor,
) -> AsyncGenerator[tuple[Worker, Driver]]:
    """Open what a worker at the gate of the settings needs, and close it in the reverse order.

    Args:
        settings: with the address of the gate and a token.
        executor: makes the frames; it is closed with the rest.

    Raises:
        GateTokenRefused, GateVersion: it does not know the token, or speaks another version.
        DataDirectoryBusy: another process uses the data directory.
    """
    make_folders(settings)
    async with AsyncExitStack() as stack:
        stack.enter_context(lock(settings.data_dir))
        await asyncio.to_thread(file_names.remove_entries, settings.work_folder, file_names.WORK)
        token = settings.gate.token or SecretStr("")
        stack.push_async_callback(_close, executor)
        machine = _machine(settings, executor)
        client = GateClient(settings.gate.url, token, machine, settings.gate.authority)
        await stack.enter_async_context(client)
        await _greet(client)
        progress, dispatcher = GateProgress(client), LocalDispatcher()
        sending = asyncio.create_task(progress.run(dispatcher))
        stack.callback(sending.cancel)
        worker = _worker(settings, executor, client, progress, dispatcher)
        await stack.enter_async_context(gate_worker_health(settings, client, worker))
        yield worker, LocalDriver(dispatcher)


async def _close(executor: Executor) -> None:
    await outcome_of(executor.close(), CLOSE_S, unwind_s=0.1)


async def _greet(client: GateClient) -> None:
    """See that the gate knows this machine; one that does not answer yet may come.

    Raises:
        GateTokenRefused, GateVersion: it does not.
    """
    greeted = await outcome_of(client.greet())
    if isinstance(greeted.error, GateUnreachable):
        log.warning("gate_unreachable", detail=greeted.error.detail)
    elif greeted.error is not None:
        raise greeted.error


def _machine(settings: Settings, executor: Executor) -> RentedMachine:
    place = place_of(executor, settings)
    return RentedMachine(
        device=place.device[:100],
        profile=place.profile,
        pin=place.pin,
        vram_bytes=round(memory_of(executor) or 0),
        version=__version__,
        pool=settings.node.pool,
    )


def _worker(
    settings: Settings,
    executor: Executor,
    client: GateClient,
    progress: GateProgress,
    dispatcher: LocalDispatcher,
) -> Worker:
    cache = NodeCache(settings.data_dir, round(settings.artefacts.cache_gigabytes * GIGABYTE))
    return Worker(
        queue=client,
        executor=executor,
        finish=finisher(settings, by_attempt=True),
        transfers=ArtefactTransfers(GateArtefacts(client, cache)),
        record=partial(_tell_run, client),
        shares=_shares(settings, executor),
        dispatcher=dispatcher,
        hub=ProgressHub(progress),
        watch=DeviceWatch(own=has_own_device(executor)),
        alerts=LoggedAlerts(),
        on_outcome=lambda: None,
        media_folder=settings.media_folder,
        work_folder=settings.work_folder,
        # the next job is claimed early: its inputs come while the device is busy
        rules=replace(worker_rules(settings, NodeRole.WORKER), poll_s=POLL_S, lead_s=LEAD_S),
    )


def _shares(settings: Settings, executor: Executor) -> Callable[[Request], dict[Stage, float]]:
    place = place_of(executor, settings)
    hardware = hardware_for(place.device, memory_of(executor))
    machine = Machine(hardware, place.profile, settings.comfy.vram, way=Launching.of(place.pin))
    return lambda request: dict(estimate(request, machine).shares())


async def _tell_run(client: GateClient, run: RunRecord) -> None:
    """Tell the front what an attempt took that made a clip; the history lies where the rows are."""
    log.info("run", job_id=run.job.id, gpu_ms=run.gpu_ms, error=run.error)
    if run.error is None:
        stages = {stage.value: seconds for stage, seconds in run.stages.items()}
        figures = (run.gpu_ms, stages, run.peak_bytes)
        told = await outcome_of(client.tell_run(run.job.id, run.job.token or "", figures), TELL_S)
        if not told.ok:
            log.info("run_not_told", job_id=run.job.id, reason=type(told.error).__name__)


async def work_at_gate(settings: Settings, announce: Callable[[str], None]) -> None:
    """Make clips for the front behind the gate until SIGINT or SIGTERM.

    Raises:
        SetupProblem: it cannot be a worker there, or its executor cannot start.
        DeviceLost: only a new process can go on; every job is back in line.
    """
    stop = asyncio.Event()
    executor = choose_executor(settings, announce)
    async with open_gate_worker(settings, executor) as (worker, driver):
        notice_s = worker.rules.grace_s
        on_signals(stop, lambda: announce(say("worker_stopping", {"notice_s": notice_s})))
        ending = asyncio.create_task(end_in_time(worker, stop, announce))
        if await started(executor, stop, announce):
            announce(say("gate_worker_ready", {"address": settings.gate.url}))
            await driver.run(worker, stop)
        ending.cancel()
    if worker.watch.lost is not None:
        raise worker.watch.lost
    announce(say("stopped"))
