"""What a control changed is measured, and held against what it must change."""

import asyncio
from collections.abc import Callable

import numpy as np
import pytest

from core.comfy.trial import REPEAT, try_controls
from core.domain.media import RawClip, Sound
from core.domain.modes import Mode
from core.domain.presets import Preset
from core.domain.requests import Request, Sampling, make_request
from core.errors import Cancelled, ClipDiffers, GenerationFailed, OutOfMemory
from core.workflow.control_trials import CONDITIONS, TrialCase

PLAIN, _, _, GUIDED = CONDITIONS


def asked(prompt: str, **sampling: int) -> Request:
    values = {"width": 64, "height": 64, "frames": 9, "fps": 24, "seed": 1, **sampling}
    return make_request(Mode.T2V, prompt, Sampling(Preset.FAST, **values), {})


def clip(shade: int, loud: float = 0.0, frames: int = 9) -> RawClip:
    pictures = np.full((frames, 64, 64, 3), shade, np.uint8)
    return RawClip(pictures, 24, Sound(np.full((1, 100), loud, np.float32), 48_000), 1, {})


class Maker:
    """Makes clips as ``draw`` says, and counts."""

    def __init__(self, draw: Callable[[Request, int], RawClip]) -> None:
        self.draw, self.runs = draw, list[tuple[str, bool]]()

    async def __call__(self, request: Request, *, guided: bool) -> RawClip:
        self.runs.append((request.prompt, guided))
        return self.draw(request, len(self.runs))


def case(after: Request, *, acts: bool = True, guided: bool = False) -> TrialCase:
    beside = GUIDED if guided else PLAIN
    return TrialCase("prompt", "x", beside, asked("a"), after, acts=acts)


def verdicts(run: Maker, *cases: TrialCase) -> list[tuple[bool, float, float]]:
    rows = asyncio.run(try_controls(run, cases))
    return [(row.holds, round(row.picture, 3), round(row.sound, 3)) for row in rows]


def test_what_must_act_and_does_holds_and_what_does_not_fails() -> None:
    run = Maker(lambda request, _: clip(51 if request.prompt == "b" else 0))

    found = verdicts(run, case(asked("b")), case(asked("c")))

    assert found == [(True, 0.2, 0.0), (False, 0.0, 0.0), (True, 0.0, 0.0)]


def test_what_must_change_nothing_may_change_no_sound_either() -> None:
    run = Maker(lambda request, _: clip(0, 0.5 if request.prompt == "loud" else 0.0))

    found = verdicts(run, case(asked("b"), acts=False), case(asked("loud"), acts=False))

    assert found[:2] == [(True, 0.0, 0.0), (False, 0.0, 0.5)]


def test_another_length_counts_as_a_change() -> None:
    run = Maker(lambda request, _: clip(0, frames=request.sampling.frames))

    assert verdicts(run, case(asked("a", frames=17)))[0] == (True, 1.0, 0.0)


def test_a_clip_is_made_once_for_each_schedule_and_the_first_again_at_the_end() -> None:
    run = Maker(lambda _, number: clip(number))

    rows = asyncio.run(
        try_controls(run, [case(asked("b")), case(asked("c")), case(asked("b"), guided=True)])
    )

    made = [("a", False), ("b", False), ("c", False), ("a", True), ("b", True), ("a", False)]
    assert run.runs == made
    assert rows[2].beside == "guided"
    assert (rows[-1].control, rows[-1].holds) == (REPEAT, False)


@pytest.mark.parametrize(
    ("problem", "told"),
    [
        (ClipDiffers("differs_size", "64×64", "32×32"), "32×32 ≠ 64×64"),
        (OutOfMemory(), "Memory ran out"),
    ],
)
def test_a_control_that_breaks_the_run_fails_with_what_was_told(
    problem: GenerationFailed, told: str
) -> None:
    def draw(request: Request, _: int) -> RawClip:
        if request.prompt == "b":
            raise problem
        return clip(0)

    row, _ = asyncio.run(try_controls(Maker(draw), [case(asked("b"))]))

    assert not row.holds
    assert told in row.problem


@pytest.mark.parametrize("stops", ["a", "b"])
def test_a_run_that_was_stopped_or_never_worked_ends_the_trial(stops: str) -> None:
    def draw(request: Request, _: int) -> RawClip:
        if request.prompt == stops:
            raise Cancelled if stops == "b" else OutOfMemory
        return clip(0)

    with pytest.raises(GenerationFailed):
        asyncio.run(try_controls(Maker(draw), [case(asked("b"))]))
