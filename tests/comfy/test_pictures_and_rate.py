"""More than two pictures, and twice the frame rate, in a real ComfyUI."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from core.domain.media import MediaFile, MediaKind
from core.domain.modes import MODES, Mode
from core.domain.requests import Request, make_request
from core.errors import ModelUnavailable
from core.models.catalog import Profile, Slot

if TYPE_CHECKING:
    from tests.comfy.conftest import Lab

pytestmark = [
    pytest.mark.comfy_real,
    # torch and ComfyUI warn of themselves; ours would still show in every other suite
    pytest.mark.filterwarnings("ignore"),
]


async def test_a_picture_in_between_and_its_time_change_the_clip(lab: "Lab") -> None:
    plain = replace(lab.request(Mode.KEYFRAME, frames=33, seed=900), prompt="")
    one, other = lab.inputs[MediaKind.IMAGE][:2]

    def through(middle: MediaFile, times: str = "") -> Request:
        sampling = replace(plain.sampling, times=times)
        return make_request(Mode.KEYFRAME, "", sampling, {**plain.media(), "second": middle})

    two = await lab.run(plain)
    three, again = await lab.run(through(one)), await lab.run(through(one))
    another, early = await lab.run(through(other)), await lab.run(through(one, "0, 0.25, 1.333"))

    assert three.frames.shape == (33, 128, 128, 3)
    assert np.array_equal(three.frames, again.frames)
    for clip in (two, another, early):
        assert np.abs(three.frames.astype(int) - clip.frames).mean() > 0.05


async def test_eight_pictures_guide_both_stages(lab: "Lab") -> None:
    roles = MODES[Mode.KEYFRAME].roles_for(MediaKind.IMAGE, 8)
    media = {role: lab.inputs[MediaKind.IMAGE][i % 2] for i, role in enumerate(roles)}
    sampling = lab.request(Mode.KEYFRAME, frames=33, seed=901).sampling

    clip = await lab.run(make_request(Mode.KEYFRAME, "eight", sampling, media))

    assert clip.frames.shape == (33, 128, 128, 3)


@pytest.mark.parametrize("mode", [Mode.T2V, Mode.KEYFRAME, Mode.STYLE])
async def test_twice_the_frames_leave_the_sound_as_it_is(lab: "Lab", mode: Mode) -> None:
    plain = lab.request(mode, seed=902)
    doubled = lab.request(mode, seed=902, frames=33, fps=48, doubled=True)

    slow, fast = await lab.run(plain), await lab.run(doubled)

    assert fast.frames.shape == (33, 128, 128, 3)
    assert fast.fps == 48
    assert slow.sound is not None
    assert fast.sound is not None
    assert np.array_equal(slow.sound.samples, fast.sound.samples)
    lab.rows.append((mode.value, "48 fps", f"{fast.gpu_ms} ms, {slow.gpu_ms} ms at 24"))


async def test_a_film_of_48_frames_a_second_goes_on_at_its_rate(lab: "Lab") -> None:
    request = lab.request(Mode.EXTEND, seed=903, frames=33, fps=48, doubled=True)

    clip = await lab.run(request)

    assert clip.frames.shape == (33, 128, 128, 3)
    assert clip.sound is not None
    seconds = clip.sound.samples.shape[1] / clip.sound.rate - clip.lead_s
    assert seconds == pytest.approx(33 / 48, abs=0.1)


async def test_without_its_file_a_doubled_clip_is_refused_in_a_sentence(
    lab: "Lab", monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = lab.executor.plan
    spec = plan.family.profiles[Profile.FP8]
    gone = replace(spec.files[Slot.TEMPORAL_UPSCALER], path="nowhere.safetensors")
    files = {**spec.files, Slot.TEMPORAL_UPSCALER: gone}
    family = replace(plan.family, profiles={Profile.FP8: replace(spec, files=files)})
    monkeypatch.setattr(lab.executor, "plan", replace(plan, family=family))

    with pytest.raises(ModelUnavailable) as caught:
        await lab.run(lab.request(Mode.T2V, seed=904, frames=33, fps=48, doubled=True))

    assert caught.value.file == "nowhere.safetensors"
