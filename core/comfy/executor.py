"""The executor that makes real clips: one ComfyUI, one thread, one order at a time."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import structlog

from core.comfy.device import DeviceKind, device_kind, first_device
from core.comfy.engine import Engine, quiet
from core.comfy.job_run import ExecutionPlan, JobRun, RunReport
from core.comfy.latents import LatentFolder
from core.comfy.paths import ComfyPaths, comfy_paths
from core.comfy.previews.colour_folder import ColourFolder
from core.comfy.previews.run_previews import PreviewWorkshop, RunPreviews
from core.comfy.run_outcome import drop_outcome, result_of
from core.comfy.staging import prepare
from core.comfy.startup import start
from core.domain.media import RawClip
from core.domain.modes import MODES
from core.domain.progress import ProgressSink, Stage, Working
from core.domain.prompt_preview import PreviewSink
from core.domain.requests import Request
from core.duration import Machine, hardware_for, saves_memory
from core.errors import DeviceLost
from core.errors.setup import ComfyUnavailable
from core.interfaces.executor import Order
from core.models.catalog import Profile
from core.models.preparation import ModelFileSource, ensure_files
from core.runtime.cancellation import CancelToken
from core.settings import Settings
from core.workflow.library import load, paths_of
from core.workflow.model_files import named_files, require_files
from core.workflow.values import guided

_log = structlog.get_logger(__name__)
_STUCK_S = 30.0  # a run that was left behind and still has the device then never gives it back
_COMPILING_S = 300.0  # the same where a run may be compiling
_CANCEL_S = 0.8  # an operation that cannot be interrupted is waited for so long, then left behind


@dataclass(frozen=True, slots=True)
class ComfyOptions:
    """How ComfyUI is started."""

    device: DeviceKind
    vram: str = "auto"
    packs: bool = False
    accelerate: bool = True  # in the ways of core.comfy.acceleration
    fast: bool = False  # also in those that change values


class ComfyExecutor:
    """Runs orders in ComfyUI. Models stay on the device between them."""

    def __init__(
        self, place: ComfyPaths, files: ModelFileSource, plan: ExecutionPlan, options: ComfyOptions
    ) -> None:
        self._place = place
        self._files = files
        self.plan = plan
        self.options = options
        # ComfyUI is not made for several threads: the interrupt flag and the progress are globals
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="comfy")
        self.engine: Engine | None = None
        self._running: asyncio.Future[RawClip] | None = None
        self.last_report: RunReport | None = None
        self._resident: str | None = None
        self._workshop = PreviewWorkshop(ColourFolder(place.colours), place.models)
        self.stuck_s = _COMPILING_S if options.fast else _STUCK_S

    @classmethod
    def open(cls, settings: Settings, files: ModelFileSource | None = None) -> Self:
        """Make the executor for ``settings``; the first order starts ComfyUI itself.

        Args:
            settings: of the whole service.
            files: where model files come from; by default the store that the settings describe.

        Raises:
            ComfyUnavailable: with all that is missing, and the command for the first of it.
        """
        # the hub's client is needed by these two alone, and a benchmark brings its own files
        from core.comfy.install.availability import missing_components
        from core.models.setup import open_store
        from core.runtime.clock import now_ms

        by_name = settings.executor == "comfy"  # then on any device, and models are downloaded
        found = [item for item in missing_components(settings) if item.required or not by_name]
        if found:
            raise ComfyUnavailable(", ".join(item.what for item in found), found[0].command)
        profile = Profile(settings.models.profile)
        device = first_device()
        hardware = hardware_for(device.name, device.memory_bytes) if device else None
        known = hardware and Machine(hardware, profile.value, settings.comfy.vram)
        vram = "high" if known and known.keeps else settings.comfy.vram
        chosen = settings.comfy
        options = ComfyOptions(device_kind(), vram, chosen.packs, chosen.accelerate, chosen.fast)
        careful = saves_memory(settings.comfy.vram, profile.value)
        place = comfy_paths(settings)
        plan = ExecutionPlan(
            profile,
            machine=known,
            careful=careful,
            custom=settings.workflows_dir,
            version=place.wanted,
            compression=chosen.image_compression,
            fast=chosen.fast,
        )
        return cls(place, files or open_store(settings, now_ms), plan, options)

    @property
    def name(self) -> str:
        """Return ``comfy``."""
        return "comfy"

    @property
    def resident(self) -> str | None:
        """Return the model set of the last order."""
        return self._resident

    def model_set(self, request: Request) -> str:
        """Return what ``request`` needs loaded; modes with the same graph of models share it."""
        folder = self.plan.custom
        if folder is not None and all(path.is_file() for path in paths_of(request.mode, folder)):
            return f"custom {request.mode}"
        models = " ".join(MODES[request.mode].models) or "plain"
        return f"{models} guided" if guided(request, self.plan.choices()) else models

    async def prepare(self, order: Order, cancel: CancelToken) -> None:
        """Prepare the source video of ``order`` beside the order that runs.

        Raises:
            Cancelled: ``cancel`` was called.
            OSError: the disk is full.
        """
        workflow = await asyncio.to_thread(load, order.request.mode, self.plan.custom)
        await asyncio.to_thread(
            prepare, order, workflow, self._place.inputs, cancel.raise_if_cancelled
        )

    async def execute(
        self, order: Order, on_progress: ProgressSink, cancel: CancelToken
    ) -> RawClip:
        """Make the frames and sound of ``order``.

        Raises:
            GenerationFailed: with the reason; ``Cancelled`` within a second of a cancel.
        """
        cancel.raise_if_cancelled()
        await self._ensure_files(order, on_progress, cancel)
        await self._wait_until_free(cancel)
        loop = asyncio.get_running_loop()

        def emit(event: Working) -> None:
            loop.call_soon_threadsafe(on_progress, event)

        given = order, cancel, emit, self._workshop.look_at(order, loop)
        self._running = loop.run_in_executor(self._thread, self._run, *given)
        return await self._watch(self._running, cancel)

    def show_previews(self, sink: PreviewSink) -> None:
        """Give ``sink`` pictures of what is sampled, from now on."""
        self._workshop.sink = sink

    async def warm_up(self) -> None:
        """Start ComfyUI now instead of with the first order.

        Raises:
            ComfyUnavailable: something that it needs is not installed.
        """
        await asyncio.get_running_loop().run_in_executor(self._thread, self._started)

    async def close(self) -> None:
        """Wait for the thread, unload the models, and accept no more orders."""
        loop = asyncio.get_running_loop()
        if self.engine is not None:
            if self._running is not None and not self._running.done():
                self.engine.interrupt()
            await loop.run_in_executor(self._thread, self.engine.free)
        self._thread.shutdown(wait=False)
        self._workshop.close()

    async def _ensure_files(
        self, order: Order, on_progress: ProgressSink, cancel: CancelToken
    ) -> None:
        """Make the files of ``order`` available; of somebody's own graph, those that it names.

        Raises:
            ModelDamaged: a file that the graph names cannot be read.
            ModelUnavailable: a file is missing and could not be obtained.
        """
        mode, family = order.request.mode, self.plan.family
        workflow = await asyncio.to_thread(load, mode, self.plan.custom)
        files = family.files_of(order.request, self.plan.profile)
        if workflow.custom:
            named = {Path(file.name).name for file in named_files(workflow.graph)}
            files = tuple(file for file in family.all_files() if file.name in named)
        if files or not workflow.custom:
            await ensure_files(self._files, files, order, on_progress, cancel)
        if workflow.custom:
            await asyncio.to_thread(require_files, workflow.graph, self._place.models)

    async def _wait_until_free(self, cancel: CancelToken) -> None:
        """Wait for a run that was left behind after its cancel.

        Raises:
            Cancelled: this order was cancelled while it waited.
            DeviceLost: that run does not end.
        """
        if self._running is None or self._running.done():
            return
        stop = asyncio.ensure_future(cancel.wait())
        try:
            either = {self._running, stop}
            await asyncio.wait(either, timeout=self.stuck_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop.cancel()
        cancel.raise_if_cancelled()
        if not self._running.done():
            raise DeviceLost("stuck")

    async def _watch(self, running: "asyncio.Future[RawClip]", cancel: CancelToken) -> RawClip:
        """Wait for what the thread makes, or stop it.

        Raises:
            Cancelled: somebody cancelled; the thread has stopped or will at its next operation.
            CancelledError: our own task was cancelled.
        """
        stop = asyncio.ensure_future(cancel.wait())
        try:
            await asyncio.wait({running, stop}, return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                self._interrupt()
                await asyncio.wait({running}, timeout=_CANCEL_S)
        except asyncio.CancelledError:  # our task was cancelled: nobody waits for the frames
            cancel.cancel("shutdown")
            self._interrupt()
            raise
        finally:
            stop.cancel()
            running.add_done_callback(drop_outcome)
        if not running.done():
            cancel.raise_if_cancelled()
        return result_of(running)

    def _interrupt(self) -> None:
        if self.engine is not None:
            self.engine.interrupt()

    def _run(
        self,
        order: Order,
        cancel: CancelToken,
        emit: Callable[[Working], None],
        previews: RunPreviews | None,
    ) -> RawClip:
        if self.engine is None:
            emit(Working(Stage.START, 0, 1, 0.0))
        engine = self._started()
        kept = LatentFolder(self._place.latents)
        inputs = self._place.inputs
        run = JobRun(
            order, self.plan, engine, inputs, cancel, emit, latents=kept, previews=previews
        )
        wanted = self.model_set(order.request)
        if wanted != self._resident:  # the first node may be one that takes long to load
            emit(Working(Stage.LOAD, 0, 1, 0.0))
        self._resident = wanted
        try:
            return run.go()
        finally:
            self.last_report = run.report
            if previews is not None:
                previews.end()

    def _started(self) -> Engine:
        if self.engine is None:
            quiet(self._place.checkout)
            options = self.options
            started = start(self._place, options.device, options.vram, packs=options.packs)
            self.engine = Engine(started)
            self.engine.accelerate(enabled=options.accelerate, fast=options.fast)
        return self.engine
