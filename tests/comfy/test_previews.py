"""Previews of a real sampler: they come, not too often, and the clip does not notice."""

import asyncio
import hashlib
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from core.comfy.previews import run_previews
from core.comfy.previews.colour_fit import ColourSums
from core.comfy.previews.colour_folder import ColourFolder
from core.domain.clip_preview import EVERY_S, ClipPreview, read_preview
from core.domain.media import RawClip
from core.domain.modes import Mode
from core.domain.progress import Progress, Working

if TYPE_CHECKING:
    from tests.comfy.conftest import Lab

pytestmark = [
    pytest.mark.comfy_real,
    pytest.mark.filterwarnings("ignore"),  # torch and ComfyUI warn of themselves
]


def digest(clip: RawClip) -> str:
    assert clip.sound is not None
    made = np.ascontiguousarray(clip.frames).tobytes() + clip.sound.samples.tobytes()
    return hashlib.sha256(made).hexdigest()


def known_decoder(lab: "Lab", key: str) -> None:
    """Let it be known what colours the latents of the lab's decoder stand for."""
    dice = np.random.default_rng(1)
    latents = dice.standard_normal((2000, 128)).astype(np.float32)
    colours = 0.5 + latents[:, :3].astype(np.float64) / 8
    sums = ColourSums.none(128).plus(latents, colours)
    ColourFolder(lab.place.colours).write(key, sums)


@pytest.fixture
def seen(lab: "Lab", monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, ClipPreview]]]:
    """What the executor shows; it knows the lab's decoder by the name ``tiny``."""
    monkeypatch.setattr(run_previews, "decoder_key", lambda *_: "tiny")
    found: list[tuple[str, ClipPreview]] = []
    lab.executor.show_previews(lambda job_id, preview: found.append((job_id, preview)))
    yield found
    lab.executor._workshop.sink = None
    (lab.place.colours / "tiny.safetensors").unlink(missing_ok=True)


@pytest.mark.parametrize("mode", [Mode.T2V, Mode.STYLE])
async def test_a_preview_comes_of_each_stage_and_the_clip_is_the_same_to_the_byte(
    lab: "Lab", seen: list[tuple[str, ClipPreview]], mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, lab.executor._workshop.sink = lab.executor._workshop.sink, None
    without = await lab.run(lab.request(mode, seed=7))
    assert not seen
    known_decoder(lab, "tiny")
    lab.executor._workshop.sink = looks
    monkeypatch.setattr(run_previews, "EVERY_S", 0.0)  # every step that there is time for
    events: list[Progress] = []

    engine = lab.executor.engine
    assert engine is not None
    # else what was sampled before would be found again, and nothing sampled
    await asyncio.get_running_loop().run_in_executor(lab.executor._thread, engine.free)
    shown = await lab.run(lab.request(mode, seed=7), events.append)

    assert digest(shown) == digest(without)
    assert seen
    previews = [preview for _, preview in seen]
    assert {job_id for job_id, _ in seen} == {f"{next(lab.numbers) - 1:032x}"}
    assert all(read_preview(one.text, one.moments) == one for one in previews)
    # 17 frames are 3 of latents, whatever guides follow them
    assert {one.moments for one in previews} == {3}
    steps = [event for event in events if isinstance(event, Working)]
    assert [one.fraction for one in steps] == sorted(one.fraction for one in steps)


async def test_there_are_at_most_two_in_a_second(
    lab: "Lab", seen: list[tuple[str, ClipPreview]]
) -> None:
    known_decoder(lab, "tiny")
    moments: list[float] = []
    workshop = lab.executor._workshop
    workshop.sink = lambda *_: moments.append(run_previews.time.monotonic())

    for seed in (1, 2):
        await lab.run(lab.request(Mode.T2V, seed=seed, frames=33))

    assert moments
    assert all(later - sooner > EVERY_S * 0.8 for sooner, later in pairwise(moments))


async def test_the_first_clip_of_an_unknown_decoder_is_what_is_learnt_from(
    lab: "Lab", seen: list[tuple[str, ClipPreview]]
) -> None:
    clip = await lab.run(lab.request(Mode.T2V, seed=3, side=256, frames=65))

    lab.executor._workshop.thread.submit(lambda: None).result(60)
    sums = ColourFolder(lab.place.colours).read("tiny")
    assert sums is not None
    assert (sums.clips, sums.xx.shape) == (1, (129, 129))
    samples = 9 * 8 * 8
    assert sums.xx[-1, -1] == samples
    # the sums are those of these very frames: the mean colour is that of the clip
    first = clip.frames[0].reshape(-1, 3).mean(axis=0) / 255
    rest = clip.frames[1:].reshape(-1, 3).mean(axis=0) / 255
    assert sums.xy[-1] / samples == pytest.approx((first + 8 * rest) / 9, abs=1e-3)
    assert not seen

    await lab.run(lab.request(Mode.T2V, seed=4, side=256, frames=65))

    lab.executor._workshop.thread.submit(lambda: None).result(60)
    both = ColourFolder(lab.place.colours).read("tiny")
    assert both is not None
    assert both.clips == 2
    lab.rows.append(("previews", "variance explained", f"{explained(both):.2f}"))


def explained(sums: ColourSums) -> float:
    """The share of the colours' variance that is linear in the latents."""
    factors = np.linalg.lstsq(sums.xx, sums.xy, rcond=None)[0]
    missed = sums.yy - (factors * sums.xy).sum(axis=0)
    spread = sums.yy - sums.xy[-1] ** 2 / sums.xx[-1, -1]
    return float(1 - missed.sum() / spread.sum())
