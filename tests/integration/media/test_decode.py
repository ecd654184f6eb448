"""What executors get to work with."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.domain.dimensions import Size
from core.media.decode import load_image, load_sound, video_frames
from core.media.output.frame_buffer import IN_MEMORY, frame_buffer

Make = Callable[..., Path]


@pytest.fixture
def flag(tmp_path: Path) -> Path:
    """Three upright stripes: red, green, blue."""
    picture = Image.new("RGB", (300, 100), "lime")
    picture.paste("red", (0, 0, 100, 100))
    picture.paste("blue", (200, 0, 300, 100))
    picture.save(tmp_path / "flag.png")
    return tmp_path / "flag.png"


def test_cover_fills_the_size_and_cuts_the_sides(flag: Path) -> None:
    pixels = load_image(flag, Size(64, 64))

    assert (pixels.shape, pixels.dtype) == ((64, 64, 3), np.uint8)
    assert (pixels[:, 8:56] == (0, 255, 0)).all()


def test_contain_shows_everything_on_black(flag: Path) -> None:
    pixels = load_image(flag, Size(90, 90), fit="contain")

    assert (pixels[:25] == 0).all()
    assert (pixels[-25:] == 0).all()
    assert [tuple(pixels[45, x]) for x in (10, 45, 80)] == [(255, 0, 0), (0, 255, 0), (0, 0, 255)]


@pytest.mark.parametrize("channels", [1, 2])
def test_sound_has_the_rate_channels_and_length_that_were_asked_for(
    channels: int, tmp_path: Path, sound: Make
) -> None:
    path = sound(tmp_path / "a.flac", "flac", rate=44_100, seconds=1.0)

    short = load_sound(path, 16_000, channels, seconds=0.5)
    long = load_sound(path, 16_000, channels, seconds=2.0)
    whole = load_sound(path, 16_000, channels)

    assert short.samples.shape == (channels, 8_000)
    assert long.samples.shape == (channels, 32_000)
    assert np.abs(long.samples[:, 16_050:]).max() == 0
    assert whole.samples.shape[1] == pytest.approx(16_000, abs=2)
    assert whole.samples.dtype == np.float32
    assert np.abs(whole.samples).max() == pytest.approx(0.5, abs=0.05)


def test_a_film_without_sound_is_silence(tmp_path: Path, film: Make) -> None:
    path = film(tmp_path / "a.mp4")

    assert load_sound(path, 48_000, 2, seconds=0.25).samples.shape == (2, 12_000)
    assert load_sound(path, 48_000, 2).samples.shape == (2, 0)


@pytest.mark.parametrize(("fps", "frames"), [(24, 24), (12, 12), (30, 33), (8, 9)])
def test_a_film_is_resampled_in_time_and_its_last_picture_held(
    fps: int, frames: int, tmp_path: Path, film: Make
) -> None:
    path = film(tmp_path / "a.mp4", frames=24)

    pictures = list(video_frames(path, fps, frames, Size(64, 48)))

    assert len(pictures) == frames
    for tick, picture in enumerate(pictures):
        shown = min(23, round(tick / fps * 24))
        assert picture.shape == (48, 64, 3)
        assert picture[24, 10].mean() == pytest.approx(20 + 8 * shown, abs=14)


def test_a_film_is_read_only_as_far_as_it_is_needed(tmp_path: Path, film: Make) -> None:
    pictures = video_frames(film(tmp_path / "a.mp4"), 24, 24, Size(64, 64))

    next(pictures)
    pictures.close()  # type: ignore[attr-defined]  # a generator


def test_a_small_buffer_is_memory_and_a_large_one_a_file_that_has_no_name(tmp_path: Path) -> None:
    small = frame_buffer((2, 4, 4, 3), tmp_path)
    large = frame_buffer((IN_MEMORY // 3_000_000 + 1, 1000, 1000, 3), tmp_path)

    assert not isinstance(small, np.memmap)
    assert isinstance(large, np.memmap)
    assert list(tmp_path.iterdir()) == []
    large[-1] = 7
    assert large[-1, -1, -1, -1] == 7
    assert large.dtype == small.dtype == np.uint8


def test_a_disk_without_room_for_the_buffer_is_an_error_at_once(on_small_disk: Any) -> None:
    script = """
import errno, json
from core.media.output.frame_buffer import frame_buffer
try:
    frame_buffer((150, 1000, 1000, 3), disk)
except OSError as error:
    print(json.dumps([error.errno == errno.ENOSPC, len(list(disk.iterdir()))]))
"""
    assert on_small_disk(script, 1000) == [True, 0]
