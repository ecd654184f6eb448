"""A film goes on in a real ComfyUI: its last frames and their sound decide what follows."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from core.demo.samples import tone
from core.domain.continuation import FADE_S, film_from, run_frames, shown_frames, sound_start_s
from core.domain.media import MediaFile, MediaKind, RawClip
from core.domain.modes import Mode
from core.domain.presets import Preset
from core.domain.requests import Request, Sampling, make_request
from core.media.decode import sound_between, video_frames
from core.media.output.clip_writer import write_clip
from core.media.output.film import FilmBefore
from core.media.output.provenance import Provenance
from core.workflow.heard_sound import latents_of, whole_blocks

if TYPE_CHECKING:
    from tests.comfy.conftest import Lab

pytestmark = [
    pytest.mark.comfy_real,
    # torch and ComfyUI warn of themselves; ours would still show in every other suite
    pytest.mark.filterwarnings("ignore"),
]
SAMPLING = Sampling(Preset.FAST, 128, 128, 17, 24, seed=3)
ORIGIN = Provenance("a" * 32, Mode.EXTEND, SAMPLING)


async def film(
    lab: "Lab", *, dark: bool = False, pitch: float = 220.0, frames: int = 33
) -> MediaFile:
    """A film with a bar that moves, and a tone."""
    pictures = np.full((frames, 128, 128, 3), 20 if dark else 180, np.uint8)
    for index, picture in enumerate(pictures):
        picture[:, : 3 * index + 8] = (200, 120, 40)
    raw = RawClip(pictures, 24, tone(frames / 24, pitch), 0, {})
    clip = await write_clip(raw, lab.media.parent / "films", ORIGIN)
    made = film_from(clip)
    (lab.media / made.name).write_bytes(clip.path.read_bytes())
    return made


def going_on(of: MediaFile, **media: MediaFile) -> Request:
    return make_request(Mode.EXTEND, "the bar stops", SAMPLING, {"video": of, **media})


def apart(one: "np.ndarray[Any, Any]", other: "np.ndarray[Any, Any]") -> float:
    return float(np.abs(one.astype(np.float32) - other.astype(np.float32)).mean())


async def test_another_film_changes_what_follows_and_the_same_one_does_not(lab: "Lab") -> None:
    (lab.media.parent / "films").mkdir(exist_ok=True)
    first, second = await film(lab), await film(lab, dark=True)

    made, again = await lab.run(going_on(first)), await lab.run(going_on(first))
    other = await lab.run(going_on(second))

    assert made.frames.shape == (17, 128, 128, 3)
    assert np.array_equal(made.frames, again.frames)
    assert apart(made.frames[1:], other.frames[1:]) > 1
    lab.rows.append(("extend", "another film", f"{apart(made.frames[1:], other.frames[1:]):.2f}"))


async def test_the_sound_of_the_film_is_held_and_decides_the_sound_that_follows(
    lab: "Lab",
) -> None:
    (lab.media.parent / "films").mkdir(exist_ok=True)
    low, high = await film(lab, pitch=220), await film(lab, pitch=880)

    latents = {pitch: await stage1_sound(lab, going_on(of)) for pitch, of in ((1, low), (2, high))}
    made, other = await lab.run(going_on(low)), await lab.run(going_on(high))

    held = 26  # 25 frames at 24 a second, 25 latents a second
    sampled, encoded = latents[1]
    assert sampled.shape == encoded.shape
    assert sampled.shape[2] == latents_of(whole_blocks(41 / 24))
    assert np.allclose(sampled[:, :, :held], encoded[:, :, :held], atol=1e-4)
    assert np.abs(sampled[:, :, held:] - encoded[:, :, held:]).mean() > 0.1
    assert np.abs(latents[1][0][:, :, held:] - latents[2][0][:, :, held:]).mean() > 1e-4
    assert made.sound is not None
    assert other.sound is not None
    assert apart(made.sound.samples, other.sound.samples) > 0


async def stage1_sound(
    lab: "Lab", request: Request
) -> "tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]":
    """What stage 1 leaves of the sound, and what it was given; both as latents."""
    engine = lab.executor.engine
    assert engine is not None
    classes = engine.node_classes()
    seen: dict[str, Any] = {}
    held = classes["SetLatentNoiseMask"]
    given = held.set_mask

    def watch(self: Any, samples: Any, mask: Any) -> Any:
        seen.setdefault("given", samples["samples"].float().numpy().copy())
        seen["sampled"] = samples["samples"].float().numpy().copy()
        return given(self, samples, mask)

    held.set_mask = watch
    try:
        await lab.run(replace(request, prompt=f"{request.prompt} {id(seen)}"))
    finally:
        held.set_mask = given
    return seen["sampled"], seen["given"]


async def test_the_joint_of_a_film_repeats_no_frame(lab: "Lab") -> None:
    folder = lab.media.parent / "films"
    folder.mkdir(exist_ok=True)
    parent = await film(lab)
    request = going_on(parent)

    raw = await lab.run(request)
    before = FilmBefore(lab.media / parent.name, 33)
    whole = await write_clip(raw, folder, ORIGIN, before=before)

    old = list(video_frames(before.path, 24, 33, SAMPLING.size))
    joined = list(video_frames(whole.path, 24, whole.frames, SAMPLING.size))
    assert whole.frames == len(joined) == 33 + 16
    assert all(np.array_equal(one, other) for one, other in zip(old, joined, strict=False))
    steps = [apart(one, other) for one, other in pairwise(joined[32:])]
    assert min(steps) > 0.05, "no frame is shown twice"
    assert run_frames(request) == 41
    assert shown_frames(request) == 24


async def test_a_voice_goes_on_where_it_was_and_is_delivered_as_it_was_sent(lab: "Lab") -> None:
    (lab.media.parent / "films").mkdir(exist_ok=True)
    parent, voice = await film(lab), lab.inputs[MediaKind.AUDIO][0]
    request = going_on(parent, audio=voice)
    spoken = replace(request, sampling=replace(SAMPLING, sound_from=0.7))

    clip = await lab.run(spoken)
    other = await lab.run(replace(request, sampling=replace(SAMPLING, sound_from=0.1)))

    start = sound_start_s(spoken.sampling)
    sent = sound_between(lab.media / voice.name, 48_000, start, FADE_S + 17 / 24)
    assert clip.sound is not None
    assert np.array_equal(clip.sound.samples, sent.samples)
    assert start == pytest.approx(0.7 - 1 / 24 - FADE_S)
    assert apart(clip.frames, other.frames) > 0
    assert Fraction(clip.fps) == 24
