"""``clapper workflow try``: run workflows in ComfyUI at the smallest size, control by control."""

import asyncio
import hashlib
import itertools
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from core.comfy.device import device_kind
from core.comfy.executor import ComfyExecutor, ComfyOptions
from core.comfy.install.availability import missing_components
from core.comfy.job_run import ExecutionPlan
from core.comfy.paths import ComfyPaths, comfy_paths
from core.comfy.testing.stand_ins import StandInFiles, tiny_stand_ins, written_in_words
from core.comfy.trial import TOKENS, ControlTrial, Run, TriedWorkflow, shortened, try_controls
from core.demo.samples import write_png, write_video, write_wav
from core.domain.media import MediaFile, MediaKind, RawClip
from core.domain.modes import MODES, Mode
from core.domain.progress import ProgressSink
from core.domain.requests import Request
from core.errors import (
    GenerationFailed,
    InternalError,
    OwnNodeFailed,
    OwnWorkflowFailed,
    WorkflowRefused,
)
from core.errors.setup import ComfyUnavailable
from core.interfaces.executor import Order
from core.models.catalog import FAMILY, ModelFamily, ModelFile, Profile
from core.runtime.cancellation import CancelToken
from core.settings import Settings
from core.workflow.adopt.pipeline import save_adoption
from core.workflow.control_trials import Given, TrialCase, trial_cases
from core.workflow.errors import NodeClassesMissing
from core.workflow.library import Workflow, load
from core.workflow.model_files import NamedFileState, look_for_files, named_files

# How many times larger than the smallest a clip is tried, where a graph does not run with it: some
# decoders want latents that are larger than their tiles overlap.
_SCALES = (1, 2, 4)
_TOLD = 500  # characters of what ComfyUI says


class AllThere:
    """Answers for a model store whose files all lie in ComfyUI's folders already."""

    async def ensure(
        self, files: Sequence[ModelFile], on_progress: ProgressSink, cancel: CancelToken
    ) -> tuple[Path, ...]:
        """Return the names alone: nothing is downloaded for a trial."""
        del on_progress, cancel
        return tuple(Path(file.name) for file in files)


async def try_workflows(
    workflows: Sequence[Workflow], settings: Settings, folder: Path
) -> AsyncIterator[TriedWorkflow]:
    """Run every control of each of ``workflows``.

    Args:
        workflows: adopted ones, which need not be kept, and the project's own.
        settings: where ComfyUI and the model files lie.
        folder: an empty one, to work in.

    Yields:
        What came of each, in their order.

    Raises:
        ComfyUnavailable: no ComfyUI is installed.
        GenerationFailed: a graph does not run.
    """
    missing = [item for item in missing_components(settings) if item.required]
    if missing:
        raise ComfyUnavailable(", ".join(item.what for item in missing), missing[0].command)
    installed = comfy_paths(settings)
    real = all(_has_files(workflow, settings) for workflow in workflows)
    models = settings.models_folder.absolute() if real else folder / "models"
    place = ComfyPaths(installed.checkout, installed.packs, folder / "comfy", models)
    options = ComfyOptions(device_kind(), settings.comfy.vram, settings.comfy.packs)
    profile = Profile(settings.models.profile) if real else Profile.FP8
    plan = ExecutionPlan(profile, custom=folder / "workflows")
    executor = ComfyExecutor(place, AllThere() if real else StandInFiles(models), plan, options)
    try:
        await executor.warm_up()
        with ExitStack() as stack:
            if not real:
                stack.enter_context(written_in_words())
                await stand_in(executor, workflows, models)
            for workflow in workflows:
                rows = await try_workflow(executor, workflow, folder / workflow.mode)
                yield TriedWorkflow(workflow.mode, rows, real)
    finally:
        await executor.close()


def _has_files(workflow: Workflow, settings: Settings) -> bool:
    """Tell whether every model file that ``workflow`` may want is here."""
    if workflow.custom:
        looked = look_for_files(workflow.graph, settings.models_folder)
        return bool(looked) and all(item.state is NamedFileState.FOUND for item in looked)
    files = FAMILY.profiles[Profile(settings.models.profile)].files.values()
    return all((settings.models_folder / file.folder / file.name).is_file() for file in files)


async def stand_in(executor: ComfyExecutor, workflows: Sequence[Workflow], models: Path) -> None:
    """Let ``executor``, which is warm, make clips of ``workflows`` with small random weights."""
    named = (named_files(workflow.graph) for workflow in workflows if workflow.custom)
    files = tuple(file for some in named for file in some)
    family = await asyncio.to_thread(tiny_stand_ins, files, models)
    executor.plan = replace(executor.plan, family=replace(family, enhanced_tokens=TOKENS))


async def try_workflow(
    executor: ComfyExecutor, workflow: Workflow, folder: Path
) -> list[ControlTrial]:
    """Try every control of ``workflow`` in ``executor``, which is warm and has its models.

    Args:
        executor: whose folder of adopted workflows gets ``workflow``, if it is one.
        workflow: to try.
        folder: a new one, for its inputs.

    Raises:
        GenerationFailed: it does not run.
        NodeClassesMissing: ComfyUI does not have what it is made of.
        OwnNodeFailed: one of its nodes does not run, at no size that was tried.
    """
    _require_classes(executor, workflow)
    given = await asyncio.to_thread(write_inputs, workflow.mode, folder / "media")
    for scale in _SCALES:
        cases = trial_cases(workflow, given, scale)
        try:
            return await try_cases(executor, workflow, folder, cases)
        except OwnNodeFailed:
            if scale == _SCALES[-1] or not workflow.custom:
                raise
    return []


def _require_classes(executor: ComfyExecutor, workflow: Workflow) -> None:
    """Refuse a graph whose classes the started ComfyUI does not have.

    Raises:
        NodeClassesMissing: with them.
    """
    kinds = dict.fromkeys(node.kind for node in workflow.graph.nodes.values())
    lacking = executor.engine.lacking(kinds) if executor.engine is not None else []
    if lacking:
        raise NodeClassesMissing(workflow.mode, ", ".join(lacking))


async def try_cases(
    executor: ComfyExecutor, workflow: Workflow, folder: Path, cases: Sequence[TrialCase]
) -> list[ControlTrial]:
    """Try ``cases`` of ``workflow``, whose files lie in ``folder / "media"``."""
    if workflow.custom and executor.plan.custom is not None:
        save_adoption(shortened(workflow), executor.plan.custom)
    return await try_controls(runner_of(executor, folder), cases)


def write_inputs(mode: Mode, folder: Path) -> Given:
    """Write two files for each role of ``mode`` into ``folder``, as intake names them."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = itertools.count()
    return {
        slot.role: (
            _input(slot.kind, folder, next(numbers)),
            _input(slot.kind, folder, next(numbers)),
        )
        for slot in MODES[mode].every_slot
    }


def _input(kind: MediaKind, folder: Path, number: int) -> MediaFile:
    """Write one file; no two with different numbers are the same."""
    path, facts = folder / "made", dict[str, float]()
    match kind:
        case MediaKind.IMAGE:
            path = write_png(path.with_suffix(".png"), shade=20 + 15 * (number % 16))
            facts = {"width": 128, "height": 96}
        case MediaKind.AUDIO:
            path = write_wav(path.with_suffix(".wav"), pitch=220.0 * (number + 1))
            facts = {"seconds": 1.5, "sample_rate": 48000}
        case MediaKind.VIDEO:
            # as much contrast as the thresholds of any edge detector ask for
            colours = (0, 0, 0), (255, 255, 255)
            path = write_video(path.with_suffix(".mp4"), 96, 64, 24 + 12 * number, *colours)
            facts = {"width": 96, "height": 64, "seconds": 1 + number / 2, "fps": 24}
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    size = path.stat().st_size
    path.rename(folder / f"{digest}{path.suffix}")
    return MediaFile(digest, path.suffix, kind, size, **facts)  # pyright: ignore[reportArgumentType]  # whole numbers where they must be


def runner_of(executor: ComfyExecutor, folder: Path) -> Run:
    """Return what makes the clip of a request whose files lie in ``folder / "media"``."""
    numbers = itertools.count(1)

    async def run(request: Request, *, guided: bool) -> RawClip:
        work = folder / "work"
        work.mkdir(exist_ok=True)
        workspace = Path(tempfile.mkdtemp(dir=work))
        order = Order(f"{next(numbers):032x}", 1, request, folder / "media", workspace)
        plan = executor.plan
        executor.plan = replace(plan, family=_guided(plan.family, plan.profile, allowed=guided))
        try:
            return await executor.execute(order, lambda _: None, CancelToken())
        except (InternalError, OwnWorkflowFailed, WorkflowRefused):
            raise _told(executor, request.mode) from None
        finally:
            executor.plan = plan

    return run


def _told(executor: ComfyExecutor, mode: Mode) -> GenerationFailed:
    """Return what ComfyUI says of the node that did not run, which its owner alone reads."""
    error = executor.engine.last_error if executor.engine is not None else None
    if error is None:
        return InternalError()
    node = load(mode, executor.plan.custom).graph.nodes.get(error.node)
    title = (node.title if node is not None else "") or error.node_class
    return OwnNodeFailed(error.node, title, f"{error.kind}: {error.detail}"[:_TOLD])


def _guided(family: ModelFamily, profile: Profile, *, allowed: bool) -> ModelFamily:
    """Return ``family`` whose ``profile`` runs the guided schedule only where it is allowed."""
    spec = replace(family.profiles[profile], guided=allowed)
    return replace(family, profiles={**family.profiles, profile: spec})
