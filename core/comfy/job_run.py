"""Run one order on the executor's thread: stage, bind, validate, execute, collect, clean up."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import structlog

from core.comfy import error_mapping
from core.comfy.acceleration.switch import Forward
from core.comfy.clip_sound import sound_of
from core.comfy.engine import Engine, PromptResult
from core.comfy.install.pins import load_pins
from core.comfy.latents import LatentFolder, continued_at, proof_of
from core.comfy.output_node import NodeOutput
from core.comfy.previews.run_previews import RunPreviews
from core.comfy.progress_events import StageRelay
from core.comfy.returned import frames_as_asked
from core.comfy.staging import StagedInputs, stage
from core.comfy.tiles import WHOLE, first_tile, smaller_tile
from core.comfy.written_prompt import WrittenPrompt
from core.domain.continuation import FADE_S, film_of, run_frames, shown_frames
from core.domain.media import RawClip
from core.domain.presets import PRESETS
from core.domain.progress import Stage, Working
from core.domain.requests import Request, Sampling, latents_name
from core.duration import Machine, estimate
from core.interfaces.executor import Order
from core.models.catalog import FAMILY, ModelFamily, Profile
from core.runtime.cancellation import CancelToken
from core.workflow.bind import BoundWorkflow, bind, key_of_prompt
from core.workflow.library import Workflow, load
from core.workflow.values import MachineChoices, rules_key

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ExecutionPlan:
    """What the machine decides for every order."""

    profile: Profile
    family: ModelFamily = FAMILY
    machine: Machine | None = None  # whose memory decides how a clip is decoded
    careful: bool = False  # without a known machine: decode in tiles also where frames may fit
    custom: Path | None = None  # folder of the user's own workflows
    version: str = ""  # of ComfyUI, where it is not the pinned one
    compression: int | None = None  # of given pictures; None: the family's
    fast: bool = False  # other values; see core.comfy.acceleration

    def choices(self, tile: int = WHOLE) -> MachineChoices:
        """Choose what :func:`bind` gets to know of the machine.

        Args:
            tile: px of the decoder's tiles.
        """
        guided = self.family.profiles[self.profile].guided
        return MachineChoices(guided=guided, tile=tile, compression=self.compression)

    def first_tile(self, request: Request) -> int:
        """Choose the px of the decoder's tiles for ``request``."""
        return first_tile(request, self.machine, careful=self.careful)


@dataclass(frozen=True, slots=True)
class RunReport:
    """What one finished run took, for benchmarks and tests."""

    seconds: Mapping[Stage, float]
    cached: frozenset[str]  # nodes that did not run because their output was still there
    gpu_ms: int
    peak_bytes: int  # device memory, 0 without CUDA
    tile: int  # px of the decoder's tiles, 0 where frames were decoded whole
    continued: bool = False  # stage 1 was taken from a draft
    # how often the transformer ran, by how it was launched; see core.comfy.acceleration.switch
    forwards: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(slots=True)
class JobRun:
    """One attempt; :meth:`go` blocks until it is over."""

    order: Order
    plan: ExecutionPlan
    engine: Engine
    inputs: Path  # ComfyUI's input folder
    cancel: CancelToken
    emit: Callable[[Working], None]
    report: RunReport | None = None
    latents: LatentFolder | None = None  # of drafts; None keeps nothing
    previews: RunPreviews | None = None  # None: nobody looks
    _staged: StagedInputs = field(default_factory=StagedInputs)
    _proof: str = ""  # of this order's stage 1
    _continued: bool = False
    _written: WrittenPrompt = field(init=False)

    def __post_init__(self) -> None:
        self._written = WrittenPrompt(self.engine, self.order.request, self.previews)

    @property
    def job(self) -> str:
        """Return the name of this attempt inside ComfyUI."""
        return f"{self.order.job_id}-{self.order.attempt}"

    def go(self) -> RawClip:
        """Make the frames and the sound.

        Raises:
            GenerationFailed: with the reason.
        """
        self.cancel.raise_if_cancelled()
        self.engine.expect(self.job, self.order.workspace)
        self.engine.forbid(self.order.forbidden)
        try:
            workflow = load(self.order.request.mode, self.plan.custom)
            stage(self.order, workflow, self.inputs, self._staged, self.cancel.raise_if_cancelled)
            try:
                return self._attempt(workflow, self._staged.names)
            except SystemExit as error:  # a node called exit(), which is not for the service
                problem = error_mapping.run_broken(own=workflow.custom)
                raise problem from error
        finally:
            self.engine.watch(None)
            self.engine.take(self.job)
            self._staged.remove()

    def _attempt(self, workflow: Workflow, staged: Mapping[str, str]) -> RawClip:
        tile = self.plan.first_tile(self.order.request)
        bound = self._bind(workflow, staged, tile)
        self.engine.watch(self.previews and self.previews.begin(bound.bound))
        ended, relay = self._execute(bound)
        if ended.error is not None and error_mapping.is_out_of_memory(ended.error):
            self.cancel.raise_if_cancelled()  # before seconds are spent on freeing
            # Nothing but the weights of this job should be there for the second and last try.
            relaxed = self.engine.allow_offloading()
            _log.warning(
                "out_of_memory", job_id=self.order.job_id, node=ended.error.node, relaxed=relaxed
            )
            self.engine.free()
            tile = smaller_tile(self.order.request, tile)
            bound = self._bind(workflow, staged, tile)
            ended, relay = self._execute(bound)
        output = self.engine.take(self.job)
        if not ended.succeeded or output is None:
            raise self._failure(ended, own=workflow.custom)
        if self.previews is not None:
            self.previews.learn(output.frames)
        if self.latents is not None and output.stage1 is not None:
            self.latents.keep(latents_name(self.order.request), self._proof, output.stage1)
        if workflow.custom:
            output = frames_as_asked(output, self._asked(), bound)
        return self._clip(output, ended, relay, tile, workflow)

    def _bind(self, workflow: Workflow, staged: Mapping[str, str], tile: int) -> BoundWorkflow:
        names = self.plan.family.names(self.plan.profile)
        rules = rules_key(self.order.forbidden)
        choices = replace(self.plan.choices(tile), word_rules=rules)
        request, family = self.order.request, self.plan.family
        bound = bind(workflow, request, names, staged, self.job, choices, family)
        self._written.key = key_of_prompt(bound.bound)
        name = self._find_stage1(workflow, bound)
        self._continued = bool(name)
        if not name:
            return bound
        choices = replace(choices, stage1=name)
        return bind(workflow, request, names, staged, self.job, choices, family)

    def _find_stage1(self, workflow: Workflow, bound: BoundWorkflow) -> str:
        """Find the latents that a draft of this order left, and offer them by the name returned."""
        node = continued_at(workflow)
        if self.latents is None or node is None:
            return ""
        self._proof = proof_of(bound.bound, node, fast=self.plan.fast)
        name = latents_name(self.order.request)
        drafting = not PRESETS[self.order.request.sampling.preset].stage2_steps
        found = None if drafting else self.latents.find(name, self._proof)
        if found is None:
            return ""
        self.engine.offer(name, found)
        return name

    def _execute(self, bound: BoundWorkflow) -> tuple[PromptResult, StageRelay]:
        graph = bound.graph
        errors = self.engine.validate(self.job, graph)
        if errors:
            for error in errors:
                _log.error(
                    "graph_refused",
                    job_id=self.order.job_id,
                    node=error.node,
                    node_class=error.node_class,
                    kind=error.kind,
                )
            raise error_mapping.validation_error(errors, graph)
        shares = self.order.shares or estimate(self.order.request).shares()
        relay = StageRelay(bound.stages, shares, self.emit)

        def listen(event: str, data: Mapping[str, Any]) -> None:
            # ComfyUI forgets an interrupt at the start of a run; this one does not, because every
            # event asks our own token again, beginning with the one right after that start.
            if self.cancel.cancelled:
                self.engine.interrupt()
            self._written.tell()
            relay.take(event, data)

        self.cancel.raise_if_cancelled()
        self.engine.peak_bytes(reset=True)
        self.engine.take_forwards()
        ended = self.engine.run(self.job, graph, [bound.output_node], listen)
        relay.finish()
        return ended, relay

    def _failure(self, ended: PromptResult, *, own: bool) -> Exception:
        if self.cancel.cancelled:
            self.cancel.raise_if_cancelled()
        if ended.error is None:
            _log.error("nothing_made", job_id=self.order.job_id, interrupted=not ended.succeeded)
            return error_mapping.run_broken(own=own)
        _log.error(
            "node_failed",
            job_id=self.order.job_id,
            node=ended.error.node,
            node_class=ended.error.node_class,
            kind=ended.error.kind,
            traceback=ended.error.traceback,
        )
        return error_mapping.node_error(ended.error, self.order.request, own=own)

    def _clip(
        self,
        output: NodeOutput,
        ended: PromptResult,
        relay: StageRelay,
        tile: int,
        workflow: Workflow,
    ) -> RawClip:
        seconds = relay.seconds()
        # Reading model files is not the requester's doing; everything else is.
        paid = sum(spent for stage, spent in seconds.items() if stage is not Stage.LOAD)
        gpu_ms = max(1, round(paid * 1000))
        peak = self.engine.peak_bytes(reset=False)
        forwards = self.engine.take_forwards()
        self.report = RunReport(
            seconds, ended.cached, gpu_ms, peak, tile, self._continued, forwards
        )
        _tell(self.order, self.report)
        request = self.order.request
        goes_on = film_of(request) is not None
        return RawClip(
            frames=output.frames[shown_frames(request) * request.sampling.factor :],
            fps=float(request.sampling.fps),
            sound=sound_of(self.order, output, workflow),
            gpu_ms=gpu_ms,
            notes=self._notes(forwards),
            peak_bytes=peak or None,
            repeated=int(goes_on),
            lead_s=FADE_S if goes_on else 0.0,
            prompt_used=self._written.used(),
        )

    def _asked(self) -> Sampling:
        """Return what a graph of somebody's own has to give: of a film, also what it is shown."""
        request = self.order.request
        if film_of(request) is None:
            return request.sampling
        return replace(request.sampling, frames=run_frames(request), doubled=False)

    def _notes(self, forwards: Mapping[str, int]) -> dict[str, str]:
        notes = {
            "executor": "comfy",
            "comfyui": self.plan.version or load_pins().version,
            "model": self.plan.family.name,
            "profile": self.plan.profile.value,
        }
        fast = forwards.get(Forward.FAST, 0)
        if fast:  # some of its passes, or all: what is not compiled yet runs as ever
            notes["fast"] = f"{fast} of {sum(forwards.values())} passes"
        return notes


def _tell(order: Order, report: RunReport) -> None:
    """Log what a finished run took."""
    spent = {f"{stage.value}_ms": round(took * 1000) for stage, took in report.seconds.items()}
    _log.info(
        "run_finished",
        job_id=order.job_id,
        gpu_ms=report.gpu_ms,
        cached_nodes=len(report.cached),
        continued=report.continued,
        tile=report.tile,
        forwards=report.forwards,
        **spent,
    )
