"""``clapper serve``: the core and every configured front, in one event loop, until a signal."""

import asyncio
import gc
from importlib.metadata import EntryPoint, entry_points
from typing import NoReturn

import structlog

from core.app.bootstrap import open_core
from core.app.core import Core
from core.app.executor_choice import is_guided
from core.app.frontend import Browsable, Exclusive, Front
from core.app.metrics import collect
from core.app.operation import operated
from core.app.preflight import check_ports, check_settings, refuse_broken
from core.app.process import Announce, end_in_time, on_signals, run_main, started
from core.app.roles import check_role, role_of_service
from core.bus.while_held import run_until_wanted, run_while_held
from core.errors import ClapperError
from core.errors.setup import NothingToServe
from core.i18n.messages import explain, say
from core.interfaces.terms import OwnTerm, Term
from core.models.catalog import FAMILY
from core.runtime.tasks import outcome_of
from core.service.front_services import FrontServices
from core.settings import Settings

log = structlog.get_logger(__name__)

GROUP = "clapper.fronts"


def run_service(settings: Settings, announce: Announce, parent: int | None = None) -> NoReturn:
    """Run :func:`serve` as :func:`run_main` does.

    Raises:
        ClapperError: as told for :func:`serve`.
    """
    run_main(serve(settings, announce), announce, parent)


async def serve(settings: Settings, announce: Announce) -> None:
    """Run the service until SIGINT or SIGTERM, or until its last front is gone.

    Args:
        settings: of the whole service.
        announce: gets a sentence for everything the operator should see.

    Raises:
        SetupProblem: the core cannot be opened, or its executor cannot start.
        NothingToServe: no front is configured, or all of them failed.
        NotReady: the settings, or this machine, would keep it from working.
        DeviceLost: only a new process can go on; every job is back in line.
    """
    stop = asyncio.Event()
    installed = found_fronts(announce)
    role = role_of_service(settings)
    check_role(settings, role)
    refuse_broken(check_settings(settings, installed))
    async with open_core(settings, announce=announce, role=role) as core:
        fronts = [front for front in installed if _wanted(front, settings, announce)]
        if not fronts:
            raise NothingToServe
        refuse_broken(check_ports(settings, fronts))
        grace_s = settings.worker.shutdown_grace_s
        on_signals(stop, lambda: announce(say("stopping", {"grace_s": grace_s})))
        ending = asyncio.create_task(end_in_time(core.worker, stop, announce))
        if not core.nodes.pools():
            announce(say("front_alone"))
        facts = {"executor": core.executor.name, "data_dir": settings.data_dir}
        announce(say("serving", facts))
        async with operated(core, announce):
            failed = await run_all(core, fronts, stop, announce)
        ending.cancel()
        lost = core.worker.watch.lost
        if lost is None:
            announce(say("stopped"))
    if lost is not None:
        raise lost
    if failed:
        raise NothingToServe


async def run_all(core: Core, fronts: list[Front], stop: asyncio.Event, announce: Announce) -> bool:
    """Run core and fronts until ``stop``; return whether all fronts failed before it.

    Fronts come up once the executor has started, and stay up until running work has finished and
    what is due was handed over.

    Raises:
        SetupProblem: the executor cannot start.
    """
    if not await started(core.executor, stop, announce):
        return False
    try:
        async with asyncio.TaskGroup() as tasks:
            running = {
                tasks.create_task(_supervised(front, core, stop, announce)) for front in fronts
            }
            working = tasks.create_task(core.run(stop))
            gone = tasks.create_task(_last_gone(running, stop))
            await working
            for task in (gone, *running):
                task.cancel()
    finally:
        gc.unfreeze()
    return not gone.cancelled() and gone.result()


def front_services(core: Core, term: Term | None = None) -> FrontServices:
    """Return what a front is given of ``core``, and the term that it runs under if any."""
    return FrontServices(
        settings=core.settings,
        users=core.users,
        state=core.community.state,
        notices=core.community.notices,
        programs=core.community.tokens,
        executor=core.executor.name,
        device=core.runs.place.device,
        family=FAMILY.name,
        guided=is_guided(core.executor, core.settings),
        register=core.router.register,
        unregister=core.router.unregister,
        redirect=core.queue.update_reply_to,
        move_place=core.move_place,
        latest_progress=lambda job: core.hub.latest(job.id),
        latest_preview=lambda job: core.hub.preview(job.id),
        latest_prompt=lambda job: core.hub.prompt(job.id),
        register_directory=core.community.access.register,
        version=core.row_version,
        health=core.readiness.service_health,
        connected=core.fronts.note,
        readiness=core.readiness.read,
        figures=lambda: collect(core),
        clock=core.queue.clock,
        term=OwnTerm() if term is None else term,
    )


async def _last_gone(running: set["asyncio.Task[None]"], stop: asyncio.Event) -> bool:
    await asyncio.wait(running)
    early = not stop.is_set()
    stop.set()
    return early


async def _supervised(front: Front, core: Core, stop: asyncio.Event, announce: Announce) -> None:
    """Run one front; its failure is told and stays its own."""
    title, board = front.name.title(), core.fronts

    def ready() -> None:
        # A full collection visits every object while the loop stands still: 120 ms for the quarter
        # of a million that the libraries alone make. They stay; from now on they are not visited.
        gc.freeze()
        board.note(front.name, "connected")
        url = front.url if isinstance(front, Browsable) else ""
        announce(say("front_ready_at" if url else "front_ready", {"front": title, "url": url}))

    async def serve_under(term: Term) -> None:
        board.starts(front.name)
        try:
            await run_until_wanted(front.run(front_services(core, term), ready), term, stop)
        finally:
            board.waits(front.name)

    board.waits(front.name)
    if isinstance(front, Exclusive):
        name = front.term(core.settings)
        running = run_while_held(core.terms, name, serve_under, stop)
    else:
        running = serve_under(OwnTerm())
    ended = await outcome_of(running, unwind_s=3.0)
    board.ended(front.name)
    if isinstance(ended.error, ClapperError):
        announce(say("front_failed", {"front": title, "reason": explain(ended.error)}))
    elif ended.error is not None:
        log.error("front_broke", front=front.name, exc_info=ended.error)
        announce(say("front_broke", {"front": title}))


def found_fronts(announce: Announce) -> list[Front]:
    """Return the installed fronts; one whose library is missing is told and left out.

    Each once: a checkout of 0.1 that was updated is installed under two names, and both tell.
    """
    fronts: list[Front] = []
    told = {(entry.name, entry.value): entry for entry in entry_points(group=GROUP)}
    for _, entry in sorted(told.items()):
        front = _loaded(entry)
        if front is None:
            announce(say("front_absent", {"front": entry.name.title()}))
        else:
            fronts.append(front)
    return fronts


def _loaded(entry: EntryPoint) -> Front | None:
    try:
        return entry.load()
    except ImportError as error:
        log.warning("front_absent", front=entry.name, missing=error.name)
        return None


def _wanted(front: Front, settings: Settings, announce: Announce) -> bool:
    if front.configured(settings):
        return True
    announce(say("front_not_configured", {"front": front.name.title()}))
    return False
