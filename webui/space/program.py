# ruff: noqa: I001  # webui.zerogpu.lease imports spaces, which comes before anything that may start CUDA
"""What a Space runs: ComfyUI at its pin where there is a GPU, the core, and the Studio."""

from webui.zerogpu.lease import prepare

import asyncio
import os
import sys

import structlog

from core.animatic.executor import DraftExecutor
from core.app.bootstrap import open_core
from core.comfy.device import DeviceKind, device_kind
from core.comfy.executor import ComfyExecutor
from core.comfy.install.installer import install
from core.comfy.install.pins import load_pins
from core.comfy.paths import comfy_paths
from core.duration import BY_KEY, Machine, Tier
from core.errors import ClapperError, SetupProblem
from core.errors.setup import NothingToServe
from core.runtime.cancellation import CancelToken
from core.interfaces.executor import Executor, Order
from core.app.logs import log_as
from core.app.maintenance import make_folders
from core.app.preflight import check_settings, refuse_broken
from core.models.catalog import Profile
from core.models.preparation import ModelFileSource, ensure_files
from core.models.setup import open_store
from core.models.store import ModelStore
from core.domain.progress import ProgressSink
from core.runtime.permissions import private_files
from core.app.process import end_in_time, on_signals
from core.app.serve import run_all
from core.settings import Settings, load_settings
from core.storage.trouble import storage_problem
from webui.front import StudioFront
from webui.space.gpu import lent_card, lends
from webui.space.forks import end_with_main, keep_connections_here
from webui.space.places import defaults, preloaded
from webui.space.problem_page import PORT, ProblemPage
from webui.space.problems import ToldModelFiles, for_visitors, note
from webui.zerogpu.executor import LeasedExecutor
from webui.zerogpu.preparation import Preparation
from webui.zerogpu.request_context import RequestContexts

log = structlog.get_logger(__name__)

PREPARATION = Preparation()  # of this process, which forks the workers
FIRST_PAUSE_S, LONGEST_PAUSE_S = 5.0, 300.0  # until the start is tried again; doubles
FETCH_PAUSES_S = (2.0, 8.0, 20.0)  # between tries of a repository that does not answer


def space_settings() -> Settings:
    """Return the settings of a Space; its folder and its variables may change all of them."""
    return load_settings(defaults())


def lent_machine(settings: Settings) -> Machine:
    """Return the device that is lent for the model files in use.

    The card is looked at where its driver shows it before anything is lent; how much of it is lent
    follows from the files.
    """
    whole = settings.models.profile == "bf16"
    key = lent_card() or ("rtx-pro-6000" if whole else "rtx-pro-6000-half")
    return Machine(BY_KEY[key], settings.models.profile, vram=settings.comfy.vram)


def uses_comfyui(settings: Settings) -> bool:
    """Return whether real clips are made: there is a GPU, or it was asked for by name."""
    if settings.executor != "auto":
        return settings.executor == "comfy"
    return lends() or device_kind() is not DeviceKind.CPU


def told(store: ModelStore, settings: Settings) -> ModelFileSource:
    """Return where model files come from, which tells what keeps them away."""
    return ToldModelFiles(store, settings.models.hub_preloaded or preloaded())


def leased(
    settings: Settings, contexts: RequestContexts, factory_name: str = "comfy"
) -> LeasedExecutor:
    """Make the executor that borrows a GPU for every job, once its model files are there."""
    machine, tier = lent_machine(settings), tier_of_nobody(settings)
    store, profile = open_store(settings), Profile(settings.models.profile)
    source = told(store, settings)

    async def fetch(order: Order, on_progress: ProgressSink, cancel: CancelToken) -> None:
        files = store.family.files_of(order.request, profile)
        await ensure_files(source, files, order, on_progress, cancel)

    at_once = settings.studio.concurrent
    executor = LeasedExecutor(factory_name, machine, contexts, tier, fetch, at_once=at_once)
    located = [store.locate(file) for file in store.family.files_for(None, profile)]
    PREPARATION.read_files([found.path for found in located if found is not None])
    executor.worker_state = PREPARATION.state
    return executor


def tier_of_nobody(settings: Settings) -> Tier:
    """Return what the lender gives to who did not sign in, unless the settings name one for all."""
    return Tier(settings.studio.tier or Tier.ANONYMOUS)


def comfy_factory() -> Executor:
    """Open ComfyUI's executor; called once in the process that has the GPU.

    Raises:
        for_visitors: what it needs and is missing.
    """
    try:
        return _comfy(space_settings())
    except SetupProblem as problem:
        note(problem)
        raise for_visitors(problem) from problem


def _comfy(settings: Settings) -> Executor:
    """Open ComfyUI's executor here; model files are fetched when a job needs them."""
    by_name = settings.model_copy(update={"executor": "comfy"})
    return ComfyExecutor.open(by_name, told(open_store(settings), settings))


def executor_of(settings: Settings, contexts: RequestContexts) -> Executor:
    """Return what makes the clips: a GPU that is lent, one that is here, or drafts without any.

    Raises:
        SetupProblem: ComfyUI cannot run on the GPU that is here.
    """
    if not uses_comfyui(settings):
        log.warning("space_without_gpu")
        return DraftExecutor()
    return leased(settings, contexts) if lends() else _comfy(settings)


async def serve(settings: Settings) -> bool:
    """Run the core and the page until the Space is stopped; return whether a GPU was lost.

    Raises:
        ClapperError: the core cannot be opened.
        NothingToServe: the page cannot be served.
    """
    contexts, stop = RequestContexts(), asyncio.Event()
    front = StudioFront(contexts)
    refuse_broken(check_settings(settings, [front]))
    executor = executor_of(settings, contexts)
    async with open_core(settings, executor, announce=log.info) as core:
        if isinstance(executor, LeasedExecutor):  # nobody's day holds what is not lent
            core.runs.tier = tier_of_nobody(settings)
            executor.follow(core.runs)
        on_signals(stop, lambda: log.info("space_stopping"))
        ending = asyncio.create_task(end_in_time(core.worker, stop, log.info))
        failed = await run_all(core, [front], stop, log.info)
        ending.cancel()
        lost = core.worker.watch.lost is not None
    if failed and not lost:
        raise NothingToServe
    return lost


def start_once(settings: Settings) -> None:
    """Install ComfyUI at its pin where it is used, then serve until the Space is stopped.

    Raises:
        ClapperError: what keeps it from starting.
    """
    log_as(settings)
    if uses_comfyui(settings):
        install(
            load_pins(),
            comfy_paths(settings),
            lambda step: log.info("comfyui", what=step.what, outcome=step.outcome),
            packs=False,
            packages=False,  # they are in the Space's requirements
            torch_index="",
            pauses_s=FETCH_PAUSES_S,
        )
        if lends():
            # ComfyUI makes folders, which only a data directory that is ours already may hold; and
            # it runs an event loop of its own, so it comes before ours
            make_folders(settings)
            PREPARATION.import_comfyui(comfy_paths(settings), settings.comfy.vram)
    prepare(comfy_factory)
    if asyncio.run(serve(settings)):  # only a new process gets at the GPU again
        os.execv(sys.executable, [sys.executable, *sys.argv])  # noqa: S606  # ourselves


def run() -> None:
    """Serve; a page says what keeps the Space from starting, until another try succeeds."""
    end_with_main()
    keep_connections_here()
    pause_s = FIRST_PAUSE_S
    with private_files():
        while (problem := kept_from_starting()) is not None:
            note(problem)
            ProblemPage(problem).serve(pause_s, _port())
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


def _port() -> int | None:
    """Return where the page is expected; None where any free port will do."""
    try:
        return space_settings().studio.port or None
    except ClapperError:  # the settings are the problem
        return PORT


def kept_from_starting() -> ClapperError | None:
    """Run the Space to its end; return what kept it from starting, None where nothing did.

    Raises:
        OSError: no trouble of the storage, and so a defect for the log.
    """
    try:
        start_once(space_settings())
    except ClapperError as problem:
        return problem
    except OSError as error:
        problem = storage_problem(error)
        if problem is None:
            raise
        return problem
    return None
