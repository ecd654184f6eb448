"""What every mode of the animatic promises: size, length, label, motion, the same for the same."""

import asyncio
import hashlib
import io
import time
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.animatic import DraftExecutor
from core.animatic.drawing import _label, font
from core.animatic.drawn_so_far import DrawnSoFar
from core.domain.clip_preview import EVERY_S, ClipPreview
from core.domain.media import MediaKind, RawClip
from core.domain.modes import MODES, Mode
from core.domain.presets import Camera, Preset
from core.domain.progress import Stage, Working
from core.errors import Cancelled
from core.runtime.cancellation import CancelToken
from core.testing.loop_lag import LoopLag
from tests.support.clocks import Seconds

pytestmark = pytest.mark.filterwarnings("error")

FIELDS: dict[str, Any] = {
    "prompt": "a red kite",
    "seed": 2,
    "camera": Camera.DOLLY_LEFT,
    "preset": Preset.QUALITY,
    "width": 256,
    "height": 192,
    "fps": 12,
    "frames": 25,
    "negative_prompt": "blurry",
}


def digest(clip: RawClip) -> str:
    sound = b"" if clip.sound is None else clip.sound.samples.tobytes()
    return hashlib.sha256(np.ascontiguousarray(clip.frames).tobytes() + sound).hexdigest()


def test_it_calls_itself_a_draft() -> None:
    assert DraftExecutor().name == "draft"


async def test_previews_come_while_it_draws_and_change_no_byte(lab: Any) -> None:
    order = lab.order(lab.request(Mode.T2V, frames=49))
    seen: list[tuple[str, ClipPreview]] = []
    looked, began = DraftExecutor(), time.monotonic()
    looked.show_previews(lambda job_id, preview: seen.append((job_id, preview)))

    clip = await looked.execute(order, lambda _event: None, CancelToken())

    took_s = time.monotonic() - began
    assert {job_id for job_id, _ in seen} == {order.job_id}
    assert 1 <= len(seen) <= 1 + took_s / EVERY_S
    assert digest(clip) == digest(await lab.draw(order.request))


async def test_a_preview_is_of_all_that_is_drawn(lab: Any) -> None:
    seen: list[ClipPreview] = []
    frames, clock = np.zeros((100, 64, 96, 3), np.uint8), Seconds()
    so_far = DrawnSoFar(frames, seen.append, clock)
    for index in range(100):
        frames[index] = 2 * index
        clock.now += 0.1
        so_far.drawn(index + 1)

    assert len(seen) == 20
    assert [one.moments for one in seen[:3]] == [1, 6, 8]
    last = np.asarray(Image.open(io.BytesIO(seen[-1].picture)).convert("L"))
    shades = last.reshape(8, -1).mean(axis=1)
    assert shades == pytest.approx(np.linspace(0, 190, 8), abs=6)


@pytest.mark.parametrize("mode", Mode)
async def test_clips_have_the_size_length_and_rate_that_were_asked_for(
    draw: Any, mode: Mode
) -> None:
    clip = await draw(mode)

    assert clip.frames.shape == (17, 128, 192, 3)
    assert clip.frames.dtype == np.uint8
    assert clip.fps == 16
    assert clip.notes == {"executor": "draft"}
    assert clip.sound is not None
    assert clip.sound.samples.dtype == np.float32
    assert clip.sound.samples.shape[1] == round((clip.lead_s + 17 / 16) * clip.sound.rate)
    assert 0 < np.abs(clip.sound.samples).max() <= 1


@pytest.mark.parametrize("mode", Mode)
async def test_the_label_is_in_every_frame(draw: Any, mode: Mode) -> None:
    clip = await draw(mode)
    label = np.asarray(_label((192, 128), Preset.FAST))
    height, width = label.shape[:2]
    letters = (label[..., 3] > 225) & (label[..., 0] > 200)

    for frame in clip.frames:
        corner = frame[:height, :width]
        assert corner[letters].mean() > 200
        assert corner[letters].mean() > corner[(label[..., 3] > 150) & ~letters].mean() + 60


@pytest.mark.parametrize("letter", "äöüÄÖÜßéñçøåœğłşžЖЩїλΩ…–„“’×→")
def test_titles_have_a_shape_for_every_letter(letter: str) -> None:
    unknown, shape = (bytes(font(40).getmask(text)) for text in ("\uffff", letter))

    assert shape != unknown


@pytest.mark.parametrize("camera", [Camera.NONE, Camera.STATIC])
@pytest.mark.parametrize("mode", Mode)
async def test_pictures_move_even_before_a_static_camera(
    draw: Any, mode: Mode, camera: Camera
) -> None:
    clip = await draw(mode, camera=camera)
    steps = np.abs(np.diff(clip.frames.astype(np.int16), axis=0)).mean(axis=(1, 2, 3))

    assert (steps > 0).all()
    assert np.abs(clip.frames[-1].astype(int) - clip.frames[0]).mean() > 0.5


@pytest.mark.parametrize("mode", Mode)
async def test_the_same_request_gives_the_same_clip(draw: Any, mode: Mode) -> None:
    assert digest(await draw(mode)) == digest(await draw(mode))


@pytest.mark.parametrize("mode", Mode)
async def test_every_field_changes_the_clip(draw: Any, mode: Mode) -> None:
    clips = {"": digest(await draw(mode))}
    for field, value in FIELDS.items():
        clips[field] = digest(await draw(mode, **{field: value}))
    for camera in Camera:
        if camera not in {Camera.NONE, Camera.DOLLY_LEFT}:
            clips[camera] = digest(await draw(mode, camera=camera))

    assert len(set(clips.values())) == len(clips)


@pytest.mark.parametrize(
    ("mode", "role"), [(mode, slot.role) for mode, spec in MODES.items() for slot in spec.slots]
)
async def test_every_file_changes_the_clip(lab: Any, draw: Any, mode: Mode, role: str) -> None:
    kind: MediaKind = lab.files[f"{mode}.{role}"].kind
    other = lab.files[f"other.{kind}"]

    assert digest(await draw(mode)) != digest(await draw(mode, **{role: other}))


async def test_progress_goes_from_inputs_to_the_last_frame(lab: Any) -> None:
    events: list[Working] = []
    order = lab.order(lab.request(Mode.I2V))

    await DraftExecutor().execute(order, events.append, CancelToken())  # type: ignore[arg-type]
    await asyncio.sleep(0)  # events come through the loop

    assert [event.stage for event in events] == [Stage.PREPARE] + [Stage.STAGE1] * 17
    assert [event.step for event in events[1:]] == list(range(1, 18))
    fractions = [event.fraction for event in events]
    assert fractions == sorted(fractions)
    assert fractions[-1] <= 0.97


@pytest.mark.parametrize("mode", Mode)
async def test_a_cancel_stops_at_the_next_frame_at_the_largest_size(lab: Any, mode: Mode) -> None:
    request = lab.request(mode, width=1920, height=1088, frames=97, fps=24)
    cancel, began = CancelToken(), asyncio.Event()
    after: list[object] = []

    def sink(event: Working) -> None:
        if event.stage is Stage.STAGE1:
            began.set()
        if cancel.cancelled:
            after.append(event)

    run = asyncio.create_task(DraftExecutor().execute(lab.order(request), sink, cancel))  # type: ignore[arg-type]
    await began.wait()
    cancel.cancel("operator")
    spent = time.process_time()

    with pytest.raises(Cancelled) as raised:
        await run
    assert raised.value.by == "operator"
    assert len(after) <= 2  # progress comes once a frame
    assert time.process_time() - spent < 2.0  # of this process alone, whatever else runs


async def test_a_cancel_before_the_start_holds(lab: Any) -> None:
    cancel = CancelToken()
    cancel.cancel()

    with pytest.raises(Cancelled):
        await DraftExecutor().execute(lab.order(lab.request(Mode.T2V)), lambda _event: None, cancel)


async def test_the_event_loop_stays_free_while_it_draws(lab: Any) -> None:
    request = lab.request(Mode.A2V, width=768, height=512, frames=25)

    async with LoopLag() as pulse:
        await lab.draw(request)

    assert 0 < pulse.longest_s < 0.25
