"""Run a workflow twice for each control, and measure what the control changes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from core.domain.media import RawClip, Sound
from core.domain.modes import Mode
from core.domain.requests import Request
from core.errors import Cancelled, ClipDiffers, GenerationFailed
from core.i18n.messages import explain
from core.workflow.control_trials import CONDITIONS, TrialCase
from core.workflow.graph import Literal
from core.workflow.library import Workflow
from core.workflow.node_schema import known_nodes

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOKENS = 16  # of a text that a model writes
REPEAT = "repeat"  # the row of what is asked twice
_TEXT_LENGTHS = {"max_length", "max_tokens", "max_new_tokens"}


@dataclass(frozen=True, slots=True)
class ControlTrial:
    """What one control changed, as mean differences of values between 0 and 1."""

    control: str
    picture: float
    sound: float
    holds: bool  # it changes what it must, or nothing where it must not
    problem: str = ""  # what came back instead of what was asked
    value: str = ""  # that the control was changed to; empty for texts and files
    beside: str = ""  # conditions under which it was tried, an identifier with a word


@dataclass(frozen=True, slots=True)
class TriedWorkflow:
    """What came of trying one workflow."""

    mode: Mode
    rows: Sequence[ControlTrial]
    real: bool  # with its own model files: else small ones of random weights stood for them


class Run(Protocol):
    """Makes the clip of a request."""

    async def __call__(self, request: Request, *, guided: bool) -> RawClip:
        """Return the clip; ``guided``: the schedule with guidance is allowed."""
        ...


def shortened(workflow: Workflow) -> Workflow:
    """Return ``workflow`` writing short texts, where it lets a model lengthen the prompt."""
    graph = workflow.graph
    for node in graph.nodes.values():
        spec = known_nodes().get(node.kind)
        for name in _TEXT_LENGTHS & node.inputs.keys():
            least = (
                spec.inputs[name].low if spec is not None and name in spec.inputs else None
            ) or 0
            graph = graph.with_nodes(node.with_input(name, Literal.of(max(TOKENS, int(least)))))
    return replace(workflow, graph=graph)


async def try_controls(run: Run, cases: Sequence[TrialCase]) -> list[ControlTrial]:
    """Try every case, and at the end the first request once more.

    Args:
        run: makes the clip of a request.
        cases: of one workflow, the first of them under the first conditions.

    Returns:
        A row for each case, the last one for nothing changed.

    Raises:
        Cancelled: somebody stopped it.
        GenerationFailed: not even what nothing is changed of can be made.
    """
    made: dict[tuple[Request, bool], RawClip] = {}

    async def clip_of(request: Request, *, guided: bool) -> RawClip:
        if (request, guided) not in made:
            made[request, guided] = await run(request, guided=guided)
        return made[request, guided]

    rows: list[ControlTrial] = []
    for case in cases:
        guided = case.beside.guided
        before = await clip_of(case.before, guided=guided)
        try:
            rows.append(_compared(case, before, await clip_of(case.after, guided=guided)))
        except Cancelled:
            raise
        except GenerationFailed as problem:
            rows.append(_failed(case, problem))
    # behind all others: what ComfyUI still has of the run before is not made again
    first = cases[0].before
    repeated = TrialCase(REPEAT, "", CONDITIONS[0], first, first, acts=False)
    rows.append(_compared(repeated, made[first, False], await run(first, guided=False)))
    return rows


def _failed(case: TrialCase, problem: GenerationFailed) -> ControlTrial:
    differs = isinstance(problem, ClipDiffers)
    told = f"{problem.given} ≠ {problem.asked}" if differs else explain(problem)
    return ControlTrial(
        case.control, 0.0, 0.0, holds=False, problem=told, value=case.value, beside=case.beside.name
    )


def _compared(case: TrialCase, before: RawClip, after: RawClip) -> ControlTrial:
    same = before.frames.shape == after.frames.shape
    picture = _difference(before.frames, after.frames) / 255.0 if same else 1.0
    sound = _of_sounds(before.sound, after.sound)
    holds = picture > 0 if case.acts else not picture and not sound
    return ControlTrial(
        case.control, picture, sound, holds, value=case.value, beside=case.beside.name
    )


def _of_sounds(before: Sound | None, after: Sound | None) -> float:
    if before is None or after is None:
        return 0.0 if before is after else 1.0
    length = min(before.samples.shape[-1], after.samples.shape[-1])
    if length == 0:
        return 0.0
    return _difference(before.samples[:1, :length], after.samples[:1, :length])


def _difference(one: "NDArray[Any]", other: "NDArray[Any]") -> float:
    return float(np.abs(one.astype(np.float32) - other.astype(np.float32)).mean())
