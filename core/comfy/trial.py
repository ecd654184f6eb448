"""Run a workflow twice for each control, and measure what the control changes."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from core.domain.media import MediaFile, RawClip, Sound
from core.domain.modes import MODES, Mode
from core.domain.presets import Preset
from core.domain.requests import Request, Sampling, make_request
from core.errors import ClipDiffers
from core.workflow.graph import Literal
from core.workflow.library import Workflow

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 128  # px; the smallest latent of two stages, whose first is half of it
FRAMES = 17
_TEXT_LENGTHS = {"max_length", "max_tokens", "max_new_tokens"}
_TOKENS = 16  # of a text that a model writes
_PROMPTS = ("a boat leaves the harbour", "seven red kites over a snowy mountain")
# What changes with each control of numbers; sizes are multiples of 64, lengths 8k+1.
_NUMBERS: Mapping[str, Mapping[str, int]] = {
    "seed": {"seed": 2},
    "size": {"width": 192},
    "frames": {"frames": 25},
    "fps": {"fps": 30},
}


@dataclass(frozen=True, slots=True)
class ControlTrial:
    """What one control changed, as mean differences of values between 0 and 1."""

    control: str
    picture: float
    sound: float
    holds: bool  # it changes what it must, or nothing where it must not
    problem: str = ""  # what came back instead of what was asked


Run = Callable[[Request], Awaitable[RawClip]]
Given = Mapping[str, tuple[MediaFile, MediaFile]]  # role: two files to choose from


def shortened(workflow: Workflow) -> Workflow:
    """Return ``workflow`` writing short texts, where it lets a model lengthen the prompt."""
    graph = workflow.graph
    for node in graph.nodes.values():
        for name in _TEXT_LENGTHS & node.inputs.keys():
            graph = graph.with_nodes(node.with_input(name, Literal.of(_TOKENS)))
    return replace(workflow, graph=graph)


async def try_controls(run: Run, mode: Mode, given: Given, *, negative: bool) -> list[ControlTrial]:
    """Try every control of ``mode``.

    Args:
        run: makes the clip of a request.
        mode: of the workflow.
        given: two files for each role.
        negative: whether the negative prompt is said to act.

    Returns:
        A row for each control, first one for nothing changed.
    """
    plain = _request(mode, given)
    before = await run(plain)
    rows = [_compare("repeat", before, await run(plain), acts=False)]
    for control, request in _changed(plain, mode, given):
        acts = negative if control == "negative_prompt" else True
        try:
            after = await run(request)
        except ClipDiffers as problem:
            told = f"{problem.given} ≠ {problem.asked}"
            rows.append(ControlTrial(control, 0.0, 0.0, holds=False, problem=told))
        else:
            rows.append(_compare(control, before, after, acts=acts))
    return rows


def _request(mode: Mode, given: Given) -> Request:
    sampling = Sampling(Preset.FAST, SIDE, SIDE, FRAMES, 24, 1)
    media = {role: files[0] for role, files in given.items()}
    return make_request(mode, _PROMPTS[0], sampling, media)


def _changed(plain: Request, mode: Mode, given: Given) -> Iterator[tuple[str, Request]]:
    """Yield ``plain`` with one control after another changed."""
    sampling, media = plain.sampling, dict(plain.media())
    yield "prompt", make_request(mode, _PROMPTS[1], sampling, media)
    other = replace(sampling, negative_prompt=_PROMPTS[1])
    yield "negative_prompt", make_request(mode, plain.prompt, other, media)
    for slot in MODES[mode].slots:
        files = {**media, slot.role: given[slot.role][1]}
        yield slot.role, make_request(mode, plain.prompt, sampling, files)
    for control, change in _NUMBERS.items():
        yield control, make_request(mode, plain.prompt, replace(sampling, **change), media)


def _compare(control: str, before: RawClip, after: RawClip, *, acts: bool) -> ControlTrial:
    same = before.frames.shape == after.frames.shape
    picture = _difference(before.frames, after.frames) / 255.0 if same else 1.0
    sound = _of_sounds(before.sound, after.sound)
    return ControlTrial(control, picture, sound, holds=(picture > 0) is acts)


def _of_sounds(before: Sound | None, after: Sound | None) -> float:
    if before is None or after is None:
        return 0.0 if before is after else 1.0
    length = min(before.samples.shape[-1], after.samples.shape[-1])
    if length == 0:
        return 0.0
    return _difference(before.samples[:1, :length], after.samples[:1, :length])


def _difference(one: "NDArray[Any]", other: "NDArray[Any]") -> float:
    return float(np.abs(one.astype(np.float32) - other.astype(np.float32)).mean())
