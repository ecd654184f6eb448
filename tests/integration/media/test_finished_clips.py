"""Finished clips: exact frames, exact sound, a poster, provenance, and nothing half done."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from core.domain.dimensions import Size
from core.domain.media import Clip, RawClip, Sound
from core.domain.modes import Mode
from core.domain.presets import Preset
from core.domain.requests import Sampling, make_request
from core.errors import Cancelled
from core.media.decode import load_image
from core.media.output.clip_writer import write_clip
from core.media.output.provenance import Provenance, read_provenance
from core.media.output.transcode import fit_clip, last_frame
from core.runtime.cancellation import CancelToken
from core.testing.loop_lag import LoopLag

SAMPLING = Sampling(Preset.FAST, 128, 64, 25, 24, seed=7, negative_prompt="no rain")
REQUEST = make_request(Mode.T2V, "a secret prompt", SAMPLING, {})
ORIGIN = Provenance.of("0123456789abcdef" * 2, REQUEST, with_prompt=False)
NOTES = {"executor": "comfy", "profile": "fp8"}


def numbered(count: int, height: int = 64, width: int = 128) -> np.ndarray[Any, Any]:
    """Frames that carry their number: eight columns, dark or bright, are its bits."""
    frames = np.zeros((count, height, width, 3), np.uint8)
    for index in range(count):
        for bit in range(8):
            column = slice(bit * width // 8, (bit + 1) * width // 8)
            frames[index, :, column] = 220 if index >> bit & 1 else 30
    return frames


def number(picture: np.ndarray[Any, Any]) -> int:
    width = picture.shape[1]
    columns = [picture[:, (bit * 2 + 1) * width // 16].mean() > 125 for bit in range(8)]
    return sum(1 << bit for bit, bright in enumerate(columns) if bright)


def raw(count: int = 25, fps: float = 24, sound: Sound | None = None) -> RawClip:
    return RawClip(numbered(count), fps, sound, 0, NOTES)


class Watched(np.ndarray[Any, Any]):
    """Many frames that count how many were taken, and call ``then`` when that is the 30th."""

    taken = 0
    then: Callable[[], object]

    @classmethod
    def calling(cls, then: Callable[[], object]) -> "Watched":
        frames = np.broadcast_to(numbered(1), (5000, 64, 128, 3)).view(cls)
        frames.then = then
        return frames

    def __iter__(self) -> Iterator[np.ndarray[Any, Any]]:
        for frame in self.view(np.ndarray):
            self.taken += 1
            if self.taken == 30:
                self.then()
            yield frame


def click(rate: int, at: int, count: int, channels: int = 1) -> Sound:
    samples = np.zeros((channels, count), np.float32)
    samples[:, at] = 1.0
    return Sound(samples, rate)


def heard(clip: Clip) -> np.ndarray[Any, Any]:
    with av.open(str(clip.path)) as container:
        return np.concatenate([f.to_ndarray() for f in container.decode(audio=0)], axis=1)


@pytest.mark.parametrize(("count", "fps"), [(9, 24), (25, 8), (121, 30), (33, 25)])
async def test_every_frame_is_there_once_in_order_at_the_exact_rate(
    count: int, fps: int, tmp_path: Path
) -> None:
    clip = await write_clip(raw(count, fps), tmp_path, ORIGIN)

    assert (clip.frames, clip.fps, clip.has_sound) == (count, fps, False)
    with av.open(str(clip.path)) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
        assert stream.average_rate == fps
        assert stream.frames == count
        assert stream.duration * stream.time_base == pytest.approx(count / fps)
    assert [number(frame.to_ndarray(format="rgb24")) for frame in frames] == list(range(count))
    assert [frame.time for frame in frames] == pytest.approx([n / fps for n in range(count)])


async def test_colours_survive(tmp_path: Path) -> None:
    colours = np.array([(200, 40, 90), (30, 160, 60), (20, 40, 220), (240, 240, 240)], np.uint8)
    frames = np.repeat(np.repeat(colours[None, None], 64, axis=1), 32, axis=2)
    clip = await write_clip(
        RawClip(np.repeat(frames, 9, axis=0), 24, None, 0, NOTES), tmp_path, ORIGIN
    )

    with av.open(str(clip.path)) as container:
        picture = next(container.decode(video=0)).to_ndarray(format="rgb24")

    assert picture[32, 16::32].astype(int) == pytest.approx(colours.astype(int), abs=6)


@pytest.mark.parametrize("rate", [48_000, 44_100, 24_000, 16_000])
@pytest.mark.parametrize("channels", [1, 2, 3])
async def test_a_click_stays_at_its_sample(rate: int, channels: int, tmp_path: Path) -> None:
    sound = click(rate, at=rate // 2, count=rate * 2, channels=channels)

    clip = await write_clip(raw(25, 24, sound), tmp_path, ORIGIN)

    assert clip.has_sound
    with av.open(str(clip.path)) as container:
        stream = container.streams.audio[0]
        assert (stream.codec_context.name, stream.rate, stream.channels) == ("aac", 48_000, 2)
        assert stream.duration * stream.time_base == pytest.approx(25 / 24, abs=1e-4)
    samples = heard(clip)
    for channel in samples:
        assert np.argmax(np.abs(channel)) == pytest.approx(24_000, abs=2)


@pytest.mark.parametrize("length", [0, 100, 48_000, 200_000])
async def test_sound_is_cut_or_padded_to_the_pictures(length: int, tmp_path: Path) -> None:
    tone = Sound(np.full((1, length), 0.25, np.float32), 48_000)

    clip = await write_clip(raw(25, 24, tone), tmp_path, ORIGIN)

    with av.open(str(clip.path)) as container:
        stream = container.streams.audio[0]
        assert stream.duration * stream.time_base == pytest.approx(25 / 24, abs=1e-4)
    samples = heard(clip)
    assert samples.shape[1] == pytest.approx(50_000, abs=1024)  # the last block of AAC is whole
    assert np.abs(samples[:, min(length, 50_000) + 2048 : 50_000]).max(initial=0) < 0.01


async def test_sound_that_is_no_number_or_too_loud_does_no_harm(tmp_path: Path) -> None:
    samples = np.full((1, 60_000), 9.0, np.float32)
    samples[0, :100] = np.nan
    samples[0, 100:200] = np.inf

    clip = await write_clip(raw(25, 24, Sound(samples, 48_000)), tmp_path, ORIGIN)

    assert np.isfinite(heard(clip)).all()
    assert np.abs(heard(clip)).max() < 1.5


async def test_the_index_comes_first_and_sound_lies_beside_its_pictures(tmp_path: Path) -> None:
    sound = Sound(np.zeros((1, 400_000), np.float32), 48_000)
    clip = await write_clip(raw(121, 24, sound), tmp_path, ORIGIN)

    content = clip.path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")
    with av.open(str(clip.path)) as container:
        places = [(float(p.pts * p.time_base), p.pos) for p in container.demux() if p.size]
    by_place = [moment for moment, _ in sorted(places, key=lambda item: item[1])]
    assert max(np.maximum.accumulate(by_place) - by_place) < 1.5


async def test_files_have_unguessable_names_and_the_hash_is_theirs(tmp_path: Path) -> None:
    import hashlib

    one = await write_clip(raw(), tmp_path, ORIGIN)
    two = await write_clip(raw(), tmp_path, ORIGIN)

    assert one.path != two.path
    assert ORIGIN.job_id not in one.path.name
    assert one.sha256 == hashlib.sha256(one.path.read_bytes()).hexdigest()
    assert one.size_bytes == one.path.stat().st_size
    assert {p.name for p in (one.path, one.poster, two.path, two.poster)} == {
        path.name for path in one.path.parent.iterdir()
    }


async def test_the_poster_is_a_frame_that_shows_something(tmp_path: Path) -> None:
    frames = np.zeros((25, 64, 128, 3), np.uint8)
    frames[12] = numbered(200)[170]

    clip = await write_clip(RawClip(frames, 24, None, 0, NOTES), tmp_path, ORIGIN)

    with Image.open(clip.poster) as poster:
        assert poster.format == "PNG"
        assert number(np.asarray(poster)) == 170
        assert "AI-generated" in str(poster.info)


async def test_a_clip_says_what_it_is_but_not_what_was_asked(tmp_path: Path) -> None:
    clip = await write_clip(raw(), tmp_path, ORIGIN)

    with av.open(str(clip.path)) as container:
        tags = dict(container.metadata)
    assert tags["title"] == "AI-generated video"
    for fact in ("AI-generated", "Clapper", "Text to video", "fast", "128×64", "seed 7", "comfy"):
        assert fact in tags["description"]
    assert ORIGIN.job_id in tags["description"]
    content = clip.path.read_bytes() + clip.poster.read_bytes()
    assert b"secret" not in content
    assert b"no rain" not in content
    assert read_provenance(clip.path) == replace(ORIGIN, notes=NOTES)


async def test_a_clip_can_be_made_again_from_itself_where_prompts_may_be_kept(
    tmp_path: Path,
) -> None:
    origin = Provenance.of("ab" * 16, REQUEST, with_prompt=True)

    clip = await write_clip(raw(), tmp_path, origin)

    found = read_provenance(clip.path)
    assert found is not None
    assert (found.mode, found.sampling, found.prompt) == (Mode.T2V, SAMPLING, "a secret prompt")


async def test_a_draft_does_not_claim_to_be_made_by_a_model(tmp_path: Path) -> None:
    clip = await write_clip(replace(raw(), notes={"executor": "draft"}), tmp_path, ORIGIN)

    with av.open(str(clip.path)) as container:
        assert "without an AI model" in container.metadata["description"]
    found = read_provenance(clip.path)
    assert found is not None
    assert not found.ai_made


async def test_a_cancel_stops_between_frames_and_leaves_nothing(tmp_path: Path) -> None:
    token = CancelToken()
    frames = Watched.calling(lambda: token.cancel("operator"))

    with pytest.raises(Cancelled) as caught:
        await write_clip(RawClip(frames, 24, None, 0, NOTES), tmp_path, ORIGIN, token)

    assert caught.value.by == "operator"
    assert frames.taken == 30
    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240  # a test may


async def test_a_cancelled_task_stops_its_thread_before_it_ends(tmp_path: Path) -> None:
    loop, begun, told = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def hold() -> None:
        loop.call_soon_threadsafe(begun.set)
        told.wait()

    frames = Watched.calling(hold)
    finishing = asyncio.create_task(
        write_clip(RawClip(frames, 24, None, 0, NOTES), tmp_path, ORIGIN)
    )
    await begun.wait()
    finishing.cancel()
    await asyncio.sleep(0)  # it is told
    assert not finishing.done()
    told.set()

    with pytest.raises(asyncio.CancelledError):
        await finishing

    assert frames.taken == 30
    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240  # a test may


async def test_the_event_loop_stays_free_while_a_clip_is_encoded(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (8, 512, 768, 3), np.uint8)
    frames = np.tile(noise, (6, 1, 1, 1))

    async with LoopLag() as pulse:
        clip = await write_clip(RawClip(frames, 24, None, 0, NOTES), tmp_path, ORIGIN)

    assert clip.frames == 48
    assert 0 < pulse.longest_s < 0.25


@pytest.mark.parametrize("share", [0.05, 0.5, 0.9, 0.99])
def test_a_full_disk_is_enospc_and_leaves_nothing(share: float, on_small_disk: Any) -> None:
    script = f"""
import asyncio, errno, json, os
import numpy as np
from core.media.output.clip_writer import write_clip
from core.domain.media import RawClip
from core.media.output.provenance import Provenance
from core.testing.doubles import t2v

frames = np.random.default_rng(1).integers(0, 255, (25, 128, 128, 3), np.uint8)
origin = Provenance.of("a" * 32, t2v(), with_prompt=False)
clip = asyncio.run(write_clip(RawClip(frames, 24, None, 0, {{}}), disk, origin))
free = (clip.size_bytes + clip.poster.stat().st_size) * {share}
clip.path.unlink()
clip.poster.unlink()
room = os.statvfs(disk)
ballast = int(room.f_bavail * room.f_frsize - free) // 4096 * 4096
(disk / "ballast").write_bytes(bytes(ballast))
try:
    asyncio.run(write_clip(RawClip(frames, 24, None, 0, {{}}), disk, origin))
except OSError as error:
    left = [path.name for path in disk.iterdir()]
    print(json.dumps({{"full": error.errno == errno.ENOSPC, "left": left}}))
"""
    assert on_small_disk(script, 4000) == {"full": True, "left": ["ballast"]}


async def test_a_clip_without_sound_has_a_silent_track_so_that_chats_show_it_as_a_video(
    tmp_path: Path,
) -> None:
    clip = await write_clip(raw(25, 24), tmp_path, ORIGIN)

    assert not clip.has_sound
    with av.open(str(clip.path)) as container:
        stream = container.streams.audio[0]
        assert (stream.codec_context.name, stream.rate, stream.channels) == ("aac", 48_000, 2)
        assert stream.duration * stream.time_base == pytest.approx(25 / 24, abs=1e-4)
    assert np.abs(heard(clip)).max() < 1e-4


async def test_a_clip_says_when_it_was_made(tmp_path: Path) -> None:
    made_at = 1_795_000_000_000  # 2026-11-18 11:06:40 UTC

    noise = np.random.default_rng(1).integers(0, 255, (25, 128, 128, 3), np.uint8)
    frames = RawClip(noise, 24, None, 0, NOTES)
    clip = await write_clip(frames, tmp_path, ORIGIN, clock=lambda: made_at)
    smaller = await fit_clip(clip.path, clip.size_bytes // 2)

    for path in (clip.path, smaller):
        with av.open(str(path)) as container:
            assert container.metadata["creation_time"].startswith("2026-11-18T11:06:40")


async def test_six_clips_that_each_begin_with_the_last_frame_do_not_get_darker(
    tmp_path: Path,
) -> None:
    colours = np.array([(200, 40, 40), (40, 180, 60), (40, 60, 200), (220, 200, 40)], np.uint8)
    picture = np.repeat(np.repeat(colours[None], 64, axis=0), 32, axis=1)

    for _ in range(6):
        frames = np.repeat(picture[None], 9, axis=0)
        clip = await write_clip(RawClip(frames, 24, None, 0, NOTES), tmp_path, ORIGIN)
        picture = load_image(await last_frame(clip.path), Size(128, 64))

    assert picture[32, 16::32].astype(int) == pytest.approx(colours.astype(int), abs=3)
