"""``clapper workflow try``: run a graph in ComfyUI at the smallest size, control by control."""

import asyncio
import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.table import Table

from core.comfy.device import device_kind
from core.comfy.executor import ComfyExecutor, ComfyOptions
from core.comfy.install.availability import missing_components
from core.comfy.job_run import ExecutionPlan
from core.comfy.paths import ComfyPaths, comfy_paths
from core.comfy.testing.stand_ins import tiny_stand_ins
from core.comfy.trial import ControlTrial, Given, Run, shortened, try_controls
from core.demo.samples import write_png, write_video, write_wav
from core.domain.media import MediaFile, MediaKind, RawClip
from core.domain.modes import MODES, Mode
from core.domain.progress import ProgressSink
from core.domain.requests import Request
from core.errors.setup import ComfyUnavailable
from core.i18n.messages import name, say
from core.interfaces.executor import Order
from core.models.catalog import ModelFile, Profile
from core.runtime.cancellation import CancelToken
from core.settings import Settings
from core.workflow.adopt import Adoption
from core.workflow.adopt.pipeline import save_adoption
from core.workflow.model_files import NamedFileState, look_for_files, named_files


class AllThere:
    """Answers for a model store whose files all lie in ComfyUI's folders already."""

    async def ensure(
        self, files: Sequence[ModelFile], on_progress: ProgressSink, cancel: CancelToken
    ) -> tuple[Path, ...]:
        """Return the names alone: nothing is downloaded for a trial."""
        del on_progress, cancel
        return tuple(Path(file.name) for file in files)


async def try_adoption(
    found: Adoption, settings: Settings, folder: Path
) -> tuple[list[ControlTrial], bool]:
    """Run the workflow of ``found`` for each control.

    Args:
        found: the adoption, which need not be kept.
        settings: where ComfyUI and the model files lie.
        folder: an empty one, to work in.

    Returns:
        The rows, and whether the graph's own model files were used: else small ones of random
        weights stood for them, as not all of its own are here.

    Raises:
        ComfyUnavailable: no ComfyUI is installed.
        GenerationFailed: the graph does not run.
    """
    missing = [item for item in missing_components(settings) if item.required]
    if missing:
        raise ComfyUnavailable(", ".join(item.what for item in missing), missing[0].command)
    graph, mode = found.workflow.graph, found.workflow.mode
    looked = look_for_files(graph, settings.models_folder)
    real = bool(looked) and all(item.state is NamedFileState.FOUND for item in looked)
    save_adoption(shortened(found.workflow), folder / "workflows")
    installed = comfy_paths(settings)
    models = settings.models_folder.absolute() if real else folder / "models"
    place = ComfyPaths(installed.checkout, installed.packs, folder / "comfy", models)
    options = ComfyOptions(device_kind(), settings.comfy.vram, settings.comfy.packs)
    plan = ExecutionPlan(Profile.FP8, custom=folder / "workflows")
    executor = ComfyExecutor(place, AllThere(), plan, options)
    try:
        await executor.warm_up()
        if not real:
            family = await asyncio.to_thread(tiny_stand_ins, named_files(graph), models)
            executor.plan = replace(plan, family=family)
        given = await asyncio.to_thread(write_inputs, mode, folder / "media")
        idle = any(notice.code == "adopt_negative_idle" for notice in found.notices)
        bound = found.workflow.bindings.named("negative_prompt")
        run = runner_of(executor, folder)
        return await try_controls(run, mode, given, negative=bool(bound) and not idle), real
    finally:
        await executor.close()


def write_inputs(mode: Mode, folder: Path) -> Given:
    """Write two files for each role of ``mode`` into ``folder``, as intake names them."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = itertools.count()
    return {
        slot.role: (
            _input(slot.kind, folder, next(numbers)),
            _input(slot.kind, folder, next(numbers)),
        )
        for slot in MODES[mode].slots
    }


def _input(kind: MediaKind, folder: Path, number: int) -> MediaFile:
    """Write one file; no two with different numbers are the same."""
    path, facts = folder / "made", dict[str, float]()
    match kind:
        case MediaKind.IMAGE:
            path = write_png(path.with_suffix(".png"), shade=40 + 70 * (number % 3))
            facts = {"width": 128, "height": 96}
        case MediaKind.AUDIO:
            path = write_wav(path.with_suffix(".wav"), pitch=220.0 * (number + 1))
            facts = {"seconds": 1.5, "sample_rate": 48000}
        case MediaKind.VIDEO:
            path = write_video(path.with_suffix(".mp4"), frames=12 * (number + 1))
            facts = {"width": 96, "height": 64, "seconds": (number + 1) / 2, "fps": 24}
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    size = path.stat().st_size
    path.rename(folder / f"{digest}{path.suffix}")
    return MediaFile(digest, path.suffix, kind, size, **facts)  # pyright: ignore[reportArgumentType]  # whole numbers where they must be


def runner_of(executor: ComfyExecutor, folder: Path) -> Run:
    """Return what makes the clip of a request whose files lie in ``folder / "media"``."""
    numbers = itertools.count(1)

    async def run(request: Request) -> RawClip:
        number = next(numbers)
        workspace = folder / "work" / str(number)
        workspace.mkdir(parents=True)
        order = Order(f"{number:032x}", 1, request, folder / "media", workspace)
        return await executor.execute(order, lambda _: None, CancelToken())

    return run


def trial_table(rows: Sequence[ControlTrial], mode: Mode) -> Table:
    """Return what each control changed, and by how much."""
    heads = ("control", "changed", "amount", "verdict")
    title = say("workflow_trial_title", {"mode": mode})
    table = Table(*(say(f"workflow_column_{head}") for head in heads), title=title)
    for row in rows:
        parts = {"trial_picture": row.picture, "trial_sound": row.sound}
        changed = [name(part) for part, amount in parts.items() if amount] or [name("trial_none")]
        amounts = [f"{amount:.4f}" for amount in parts.values() if amount] or ["0"]
        verdict = name("trial_holds" if row.holds else "trial_fails")
        cells = (row.problem, "") if row.problem else (", ".join(changed), ", ".join(amounts))
        table.add_row(row.control, *cells, verdict)
    return table
