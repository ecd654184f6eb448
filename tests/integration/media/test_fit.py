"""Clips for destinations that take fewer bytes, and what else is made of a finished clip."""

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from core.demo.samples import tone
from core.domain.media import Clip, RawClip, Sound
from core.errors import ClipTooLarge
from core.media.output.clip_writer import write_clip
from core.media.output.provenance import Provenance, read_provenance
from core.media.output.transcode import files_of_clip, fit_clip, last_frame
from core.testing.doubles import t2v

ORIGIN = Provenance.of("f" * 32, t2v(), with_prompt=True)


@pytest.fixture
async def clip(tmp_path: Path) -> Clip:
    """Two seconds of noise that moves: hard to make small, so the limits bite."""
    random = np.random.default_rng(3)
    picture = random.integers(0, 255, (80, 128, 3), np.uint8).repeat(4, 0).repeat(4, 1)
    frames = np.stack([np.roll(picture, 5 * n, axis=1) for n in range(49)])
    frames[-1] = (10, 200, 30)
    (tmp_path / "clips").mkdir()
    sound = tone(49 / 24)
    return await write_clip(RawClip(frames, 24, sound, 0, {}), tmp_path / "clips", ORIGIN)


async def test_a_clip_that_fits_is_sent_as_it_is(clip: Clip) -> None:
    assert await fit_clip(clip.path, clip.size_bytes) == clip.path
    assert files_of_clip(clip.path) == sorted([clip.path, clip.poster])


@pytest.mark.parametrize("share", [0.9, 0.5, 0.25, 0.08])
async def test_a_smaller_version_keeps_length_rate_sound_and_origin(
    share: float, clip: Clip, tmp_path: Path
) -> None:
    limit = int(clip.size_bytes * share)

    path = await fit_clip(clip.path, limit)

    assert path.stat().st_size <= limit
    assert path.stat().st_size > limit * 0.5  # what may be used is used
    with av.open(str(path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.frames, video.average_rate) == (49, 24)
        assert video.width / video.height == pytest.approx(512 / 320, rel=0.03)
        assert (video.width == 512) == (share >= 0.25)
        assert audio.duration * audio.time_base == pytest.approx(49 / 24, abs=1e-3)
        samples = np.concatenate([f.to_ndarray() for f in container.decode(audio)], axis=1)
        assert np.sqrt((samples[:, 4800:90_000] ** 2).mean()) == pytest.approx(0.141, abs=0.01)
    assert path.read_bytes().index(b"moov") < path.read_bytes().index(b"mdat")
    assert read_provenance(path) == ORIGIN


async def test_a_smaller_version_is_made_once_and_belongs_to_its_clip(
    clip: Clip, tmp_path: Path
) -> None:
    first = await fit_clip(clip.path, clip.size_bytes // 2)
    made = first.stat().st_mtime_ns
    again = await fit_clip(clip.path, clip.size_bytes // 2)

    assert again == first
    assert again.stat().st_mtime_ns == made
    assert first in files_of_clip(clip.path)
    elsewhere = await fit_clip(clip.path, clip.size_bytes // 2, tmp_path)
    assert elsewhere.parent == tmp_path


async def test_what_cannot_fit_at_any_acceptable_quality_is_refused_and_leaves_nothing(
    clip: Clip,
) -> None:
    with pytest.raises(ClipTooLarge) as caught:
        await fit_clip(clip.path, 3000)

    assert caught.value.limit_bytes == 3000
    assert caught.value.size_bytes > 3000
    assert files_of_clip(clip.path) == sorted([clip.path, clip.poster])
    assert len(list(clip.path.parent.iterdir())) == 2


async def test_a_silent_clip_stays_silent(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (9, 128, 128, 3), np.uint8)
    clip = await write_clip(RawClip(noise, 24, None, 0, {}), tmp_path, ORIGIN)

    path = await fit_clip(clip.path, clip.size_bytes // 2)

    with av.open(str(path)) as container:
        samples = np.concatenate([f.to_ndarray() for f in container.decode(audio=0)], axis=1)
    assert np.abs(samples).max() < 1e-4


async def test_the_last_frame_is_the_last_frame(clip: Clip, tmp_path: Path) -> None:
    path = await last_frame(clip.path)

    with Image.open(path) as picture:
        assert picture.size == (512, 320)
        middle: Any = picture.getpixel((250, 160))
        assert middle == pytest.approx((10, 200, 30), abs=8)
    assert path in files_of_clip(clip.path)
    assert (await last_frame(clip.path, tmp_path)).parent == tmp_path


async def test_a_long_sound_does_not_make_a_clip_too_large(tmp_path: Path) -> None:
    frames = np.zeros((241, 64, 64, 3), np.uint8)
    random = np.random.default_rng(1)
    noise = Sound(random.uniform(-0.5, 0.5, (2, 48_000 * 11)).astype(np.float32), 48_000)
    clip = await write_clip(RawClip(frames, 24, noise, 0, {}), tmp_path, ORIGIN)

    path = await fit_clip(clip.path, clip.size_bytes * 2 // 3)

    assert path.stat().st_size <= clip.size_bytes * 2 // 3
