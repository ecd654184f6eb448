"""Builds the core from the settings, in the order that makes a restart safe, and takes it down.

The data directory is locked first and the intake opened last; between them the database is
checked, migrated, recovered and checked again.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import structlog

from core.app.absent_executor import AbsentExecutor
from core.app.bucket_access import open_access
from core.app.bus_choice import bus_of
from core.app.clock_choice import clock_of
from core.app.core import Core
from core.app.executor_choice import choose_executor
from core.app.joining import Deployment, join, tell_load
from core.app.maintenance import make_folders
from core.app.parts import Parts
from core.app.restore import remove_unfinished
from core.app.rules import fitted_folder
from core.app.wiring import build
from core.domain.nodes import NodeRole
from core.domain.time_units import HOUR_MS
from core.errors.setup import DatabaseDamaged
from core.i18n.messages import say
from core.interfaces.executor import Executor
from core.runtime import file_names
from core.runtime.atomic_files import remove_parts
from core.runtime.clock import Clock, now_ms
from core.runtime.permissions import make_private
from core.runtime.tasks import outcome_of
from core.settings import Settings
from core.storage.addresses import database_file
from core.storage.database import open_database
from core.storage.record import database_name
from core.storage.trouble import named_troubles

log = structlog.get_logger(__name__)

CLOSE_S = 2.0  # what the executor may take to release its device
_SHARED = frozenset({"models"})  # may hold links to files that others read too
Announce = Callable[[str], None]  # a sentence for the operator


@asynccontextmanager
async def open_core(
    settings: Settings,
    executor: Executor | None = None,
    *,
    announce: Announce | None = None,
    clock: Clock | None = None,
    role: NodeRole = NodeRole.SERVICE,
    beside: bool = False,
) -> AsyncGenerator[Core]:
    """Open everything, and close it in the reverse order.

    Args:
        settings: of the whole service.
        executor: to use instead of the one that the settings choose.
        announce: gets a sentence for everything the operator should see; the log without it.
        clock: epoch milliseconds; by default that of the server with the rows, or else the wall
            clock without its steps.
        role: what this process does among others.
        beside: it is a command, which takes nothing over where others may live.

    Yields:
        The core, recovered and ready; nothing runs before :meth:`Core.run`.

    Raises:
        DataDirectoryForeign: it is a folder of somebody else; nothing in it was changed.
        DataDirectoryBusy: another process uses the data directory.
        DatabaseDamaged: the database contradicts itself.
        SchemaTooNew: written by a newer version.
        ComfyUnavailable: ComfyUI was asked for by name and cannot run.
        BucketProblem: the bucket for clips and inputs cannot be used.
        StorageProblem: the database or the data directory cannot be read or written.
    """
    make_folders(settings)
    deployment = Deployment.of(settings, role, beside=beside)
    tell: Announce = announce or log.info
    async with AsyncExitStack() as stack:
        with named_troubles(settings.data_dir):
            core = await _opened(stack, settings, executor, tell, clock, deployment)
        yield core


async def _opened(
    stack: AsyncExitStack,
    settings: Settings,
    executor: Executor | None,
    tell: Announce,
    clock: Clock | None,
    deployment: Deployment,
) -> Core:
    database = await stack.enter_async_context(
        open_database(
            settings.database,
            settings.data_dir,
            clock or now_ms,
            insecure=settings.database_insecure,
            duty=deployment.duty,
            hold=deployment.hold,
            tell=lambda behind: tell(say("schema_awaited", behind.data())),
        )
    )
    if deployment.has_folder_alone:
        await _clear_folders(settings)
    bus = bus_of(settings, database, deployment.role)
    named = partial(database_name, database)
    access = await open_access(settings, deployment, database, bus, named)
    executor = executor or _executor(settings, deployment, tell)
    stack.push_async_callback(_close, executor)
    clock = clock or await stack.enter_async_context(clock_of(settings, database))
    nodes = await join(stack, settings, deployment, database, executor, clock)
    if isinstance(executor, AbsentExecutor):
        executor.pools = nodes.pools
    core = build(Parts(settings, database, executor, access, clock, bus, nodes, deployment))
    tell_load(nodes, core.worker, executor)
    await core.runs.open()
    if not database.newest:
        tell(say(f"database_{database.standing}", {"folder": settings.clips_folder}))
    if deployment.tidies:
        await _recover(core, tell)
        await core.housekeeping.note()
    return core


def _executor(settings: Settings, deployment: Deployment, tell: Announce) -> Executor:
    """Return what makes clips here; nothing does on a front.

    Raises:
        ComfyUnavailable: ComfyUI was asked for by name and cannot run.
    """
    return choose_executor(settings, tell) if deployment.role.works else AbsentExecutor()


async def _clear_folders(settings: Settings) -> None:
    """Remove what the process before this one left unfinished."""
    await asyncio.to_thread(make_private, settings.data_dir, _SHARED)
    await asyncio.to_thread(file_names.remove_entries, settings.work_folder, file_names.WORK)
    for folder in (settings.media_folder, settings.clips_folder, fitted_folder(settings)):
        await asyncio.to_thread(remove_parts, folder)
    await asyncio.to_thread(remove_unfinished, settings.data_dir, database_file(settings.database))


async def _close(executor: Executor) -> None:
    """Close ``executor``; a device that is lost neither holds the end up nor spoils it."""
    closed = await outcome_of(executor.close(), CLOSE_S, unwind_s=0.1)
    if not closed.ok:
        log.warning("executor_not_closed", exc_info=closed.error)


async def _recover(core: Core, announce: Announce) -> None:
    """Put in order what the last process left.

    Raises:
        DatabaseDamaged: the rows contradict each other.
    """
    doubted_ms = await core.time_guard.open()
    if doubted_ms:
        announce(say("clock_doubted", {"hours": round(doubted_ms / HOUR_MS, 1)}))
    report = await core.recovery.recover()
    if report.violations:
        raise DatabaseDamaged("; ".join(str(item) for item in report.violations[:5]))
    if core.nodes.alone and core.time_guard.may_prune:  # else an upload may be somebody's who lives
        await core.files.sweep(unheld_s=0)
    if core.membership.deployment.has_folder_alone:
        await core.housekeeping.remove_orphans()
    if report.requeued or report.lost:
        announce(say("jobs_recovered", {"requeued": report.requeued, "failed": report.lost}))
