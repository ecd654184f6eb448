"""A film and what continues it become one: nothing twice, nothing lost, no click in the sound."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from core.domain.media import Clip, RawClip, Sound
from core.domain.modes import Mode
from core.domain.presets import Preset
from core.domain.requests import Sampling
from core.media.decode import load_sound
from core.media.output.clip_writer import write_clip
from core.media.output.film import FilmBefore, joined_sound
from core.media.output.provenance import Provenance

if TYPE_CHECKING:
    from collections.abc import Iterator

RATE = 48_000
SAMPLING = Sampling(Preset.FAST, 192, 128, 25, 24, seed=1)
ORIGIN = Provenance("a" * 32, Mode.EXTEND, SAMPLING)


def shaded(
    *shades: int, side: tuple[int, int] = (128, 192)
) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    """Frames of one shade each: numbers that survive H.264."""
    return np.stack([np.full((*side, 3), shade, np.uint8) for shade in shades])


def shades_of(path: Path) -> list[int]:
    return [round(float(picture.mean())) for picture in decoded(path)]


def decoded(path: Path) -> "Iterator[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]":
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray()


def tone(seconds: float, pitch: float, level: float = 0.3) -> Sound:
    at = np.arange(round(seconds * RATE)) / RATE
    return Sound((level * np.sin(2 * np.pi * pitch * at))[None].astype(np.float32), RATE)


async def film(folder: Path, frames: int = 25, fps: float = 24, pitch: float = 200) -> Clip:
    raw = RawClip(shaded(*range(20, 20 + 4 * frames, 4)), fps, tone(frames / fps, pitch), 0, {})
    return await write_clip(raw, folder, ORIGIN)


def more(last: int, frames: int = 9, fps: float = 24, pitch: float = 200) -> RawClip:
    """What continues a film whose last frame has the shade ``last``; it repeats that one."""
    shades = [last, *range(200, 200 - 8 * (frames - 1), -8)]
    sound = tone(0.04 + frames / fps, pitch)
    return RawClip(shaded(*shades), fps, sound, 0, {}, repeated=1, lead_s=0.04)


@pytest.mark.parametrize("fps", [24, 30, 25, 48])
async def test_the_joint_repeats_no_frame_and_loses_none(tmp_path: Path, fps: float) -> None:
    first = await film(tmp_path, fps=fps)

    whole = await write_clip(
        more(116, fps=fps), tmp_path, ORIGIN, before=FilmBefore(first.path, 25)
    )

    expected = [*range(20, 120, 4), *range(200, 136, -8)]
    assert whole.frames == len(expected) == 33
    assert np.abs(np.subtract(shades_of(whole.path), shades_of_yuv(expected))).max() <= 2
    with av.open(str(whole.path)) as container:
        assert container.streams.video[0].frames == 33
        assert float(container.streams.video[0].average_rate or 0) == fps
        assert container.streams.video[0].start_time == 0
    heard = load_sound(whole.path, RATE, 2).samples.shape[1] / RATE
    assert heard == pytest.approx(33 / fps, abs=0.03)


def shades_of_yuv(shades: list[int]) -> list[float]:
    """What the mean of all three planes is: two thirds luma in the limited range, one third 128."""
    return [(16 + shade * 219 / 255) * 2 / 3 + 128 / 3 for shade in shades]


async def test_the_pictures_of_a_film_of_ours_are_taken_over_bit_by_bit(tmp_path: Path) -> None:
    first = await film(tmp_path)

    whole = await write_clip(more(116), tmp_path, ORIGIN, before=FilmBefore(first.path, 25))
    longer = await write_clip(more(144), tmp_path, ORIGIN, before=FilmBefore(whole.path, 33))

    before, after, twice = (list(decoded(clip.path)) for clip in (first, whole, longer))
    assert all(np.array_equal(one, other) for one, other in zip(before, after, strict=False))
    assert all(np.array_equal(one, other) for one, other in zip(after, twice, strict=False))
    assert longer.frames == len(twice) == 41


async def test_a_film_of_another_size_is_fitted_to_what_continues_it(tmp_path: Path) -> None:
    raw = RawClip(shaded(*[60] * 25, side=(64, 96)), 24, None, 0, {})
    first = await write_clip(raw, tmp_path, ORIGIN)

    whole = await write_clip(more(60), tmp_path, ORIGIN, before=FilmBefore(first.path, 25))

    assert (whole.width, whole.height, whole.frames) == (192, 128, 33)
    shades = shades_of(whole.path)
    assert np.abs(np.subtract(shades[:25], shades_of_yuv([60] * 25))).max() <= 2
    assert len(shades) == 33


@pytest.mark.parametrize("fps", [24, 30, 48])
async def test_the_sound_fades_over_within_40_ms_and_never_clicks(
    tmp_path: Path, fps: float
) -> None:
    first = await film(tmp_path, fps=fps, pitch=200)
    raw = more(116, fps=fps, pitch=200)
    loud = replace(raw, sound=Sound(0 * raw.sound.samples + 0.25, RATE))  # pyright: ignore[reportOptionalMemberAccess]

    from fractions import Fraction

    whole = joined_sound(FilmBefore(first.path, 25), loud, Fraction(fps))

    end = round(25 / fps * RATE)
    assert whole.shape == (2, round(33 / fps * RATE))
    assert np.allclose(whole[:, end:], 0.25)
    old = load_sound(first.path, RATE, 2, 25 / fps).samples
    assert np.array_equal(whole[:, : end - 1920], old[:, : end - 1920])
    assert not np.array_equal(whole[:, end - 1900 : end], old[:, end - 1900 : end])
    steps = np.abs(np.diff(whole[0, end - 2400 : end + 480]))
    assert steps.max() < 0.02  # of the tone itself; a cut would jump by 0.25


async def test_a_film_without_sound_gets_that_of_its_continuation_from_the_joint(
    tmp_path: Path,
) -> None:
    first = await write_clip(RawClip(shaded(*[60] * 25), 24, None, 0, {}), tmp_path, ORIGIN)

    whole = await write_clip(more(60), tmp_path, ORIGIN, before=FilmBefore(first.path, 25))

    heard = load_sound(whole.path, RATE, 2).samples[0]
    assert np.abs(heard[: RATE // 2]).max() < 0.01
    assert np.abs(heard[round(1.1 * RATE) :]).max() > 0.2
