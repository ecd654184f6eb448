# ruff: noqa: I001  # webui.zerogpu.lease imports spaces, which comes before anything that may start CUDA
"""The entry of a Hugging Face Space: ComfyUI at its pin, the core, and the Studio as its face."""

from webui.zerogpu.lease import prepare

import asyncio
from pathlib import Path

import structlog

from core.app.bootstrap import open_core
from core.comfy.executor import ComfyExecutor
from core.comfy.install.installer import install
from core.comfy.install.pins import load_pins
from core.comfy.paths import comfy_paths
from core.duration import BY_KEY, Machine, Tier
from core.runtime.cancellation import CancelToken
from core.interfaces.executor import Executor, Order
from core.app.logs import log_as
from core.models.catalog import Profile, files_for
from core.models.preparation import ensure_files
from core.models.setup import open_store
from core.domain.progress import ProgressSink
from core.runtime.permissions import private_files
from core.app.serve import run_all
from core.settings import Settings, load_settings
from webui.front import StudioFront
from webui.zerogpu.executor import LeasedExecutor
from webui.zerogpu.preparation import Preparation
from webui.zerogpu.request_context import RequestContexts

log = structlog.get_logger(__name__)

HOME = Path.home() / "clapper"  # written again at every start; a Space has no lasting disk
PREPARATION = Preparation()  # of this process, which forks the workers
PRELOADED = Path.home() / ".cache" / "huggingface" / "hub"  # baked into the image, only read


def space_settings() -> Settings:
    """Return the settings of a Space; the environment may still change the rest.

    The port stays 7860, where the platform expects the page.
    """
    return load_settings(
        data_dir=HOME / "data",
        studio_host="0.0.0.0",  # noqa: S104  # inside the Space's container
        hub_cache=HOME / "hub",  # writable, beside the preloaded one
        hub_preloaded=PRELOADED,
        accept_model_licences=True,  # by who built the Space, see its page
        space_id=load_settings().space.id or "local",
    )


def lent_machine(settings: Settings) -> Machine:
    """Return the device that is lent for the model files in use: the size follows the profile."""
    hardware = BY_KEY["rtx-pro-6000" if settings.models.profile == "bf16" else "rtx-pro-6000-half"]
    return Machine(hardware, settings.models.profile, vram=settings.comfy.vram)


def leased(
    settings: Settings, contexts: RequestContexts, factory_name: str = "comfy"
) -> LeasedExecutor:
    """Make the executor that borrows a GPU for every job, once its model files are there."""
    machine, tier = lent_machine(settings), tier_of_nobody(settings)
    store, profile = open_store(settings), Profile(settings.models.profile)

    async def fetch(order: Order, on_progress: ProgressSink, cancel: CancelToken) -> None:
        files = files_for(order.request.mode, profile)
        await ensure_files(store, files, order, on_progress, cancel)

    def here() -> list[Path]:
        found = [store.locate(file) for file in store.family.files_for(None, profile)]
        return [one.path for one in found if one is not None]

    executor = LeasedExecutor(
        factory_name, machine, contexts, tier, fetch, at_once=settings.studio.concurrent
    )
    PREPARATION.read_files(here())
    executor.worker_state = PREPARATION.state
    return executor


def tier_of_nobody(settings: Settings) -> Tier:
    """Return what the lender gives to who did not sign in, unless the settings name one for all."""
    return Tier(settings.studio.tier or Tier.ANONYMOUS)


def comfy_factory() -> Executor:
    """Open ComfyUI's executor; called once in the process that has the GPU."""
    return ComfyExecutor.open(space_settings())


async def serve(settings: Settings) -> None:
    """Run the core and the page until the Space stops."""
    contexts = RequestContexts()
    executor = leased(settings, contexts)
    async with open_core(settings, executor, announce=log.info) as core:
        core.runs.tier = tier_of_nobody(settings)
        executor.follow(core.runs)
        await run_all(core, [StudioFront(contexts)], asyncio.Event(), log.info)


def main() -> None:
    """Install ComfyUI at its pin, then serve."""
    settings = space_settings()
    log_as(settings)
    install(
        load_pins(),
        comfy_paths(settings),
        lambda step: log.info("comfyui", what=step.what, outcome=step.outcome),
        packs=False,
        packages=False,  # they are in the Space's requirements
        torch_index="",
    )
    with private_files():
        prepare(comfy_factory)
        PREPARATION.import_comfyui(comfy_paths(settings), settings.comfy.vram)
        asyncio.run(serve(settings))


if __name__ == "__main__":
    main()
