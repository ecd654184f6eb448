"""What is stored takes at most twice what was sent, and says so in its name."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.app.backup_contents import FOLDERS
from core.comfy.staging import staged_name
from core.domain.dimensions import Size
from core.domain.media import MediaFile, MediaKind
from core.media.decode import load_image, load_sound
from core.media.intake.protocol import SUFFIXES
from core.media.intake.store import MediaStore
from core.runtime import file_names
from core.workflow.control_video import ControlVideo
from core.workflow.input_files import InputFile
from tests.support import recordings

ALL_SUFFIXES = [suffix for suffixes in SUFFIXES.values() for suffix in suffixes]


def photo(width: int, height: int, grain: float) -> Image.Image:
    """Return a picture of shades with the grain of a sensor."""
    chance = np.random.default_rng(1)
    cells = chance.integers(0, 255, (height // 32 + 1, width // 32 + 1, 3), np.uint8)
    shades = Image.fromarray(cells).resize((width, height), Image.Resampling.BICUBIC)
    noise = chance.normal(0, grain, (height, width, 3))
    return Image.fromarray(np.clip(np.asarray(shades) + noise, 0, 255).astype(np.uint8))


@pytest.mark.parametrize(
    ("format_", "options"),
    [("JPEG", {"quality": 90}), ("WEBP", {"quality": 85, "method": 0}), ("AVIF", {"speed": 10})],
)
async def test_a_noisy_photo_is_stored_in_at_most_twice_its_bytes(
    format_: str, options: dict[str, Any], tmp_path: Path, store: MediaStore
) -> None:
    out = BytesIO()
    photo(1600, 1200, 6).save(out, format_, **options)
    source = tmp_path / "photo"
    source.write_bytes(out.getvalue())

    file = await store.admit(source, "image", MediaKind.IMAGE)

    assert file.suffix == ".jpg"
    assert file.size_bytes <= 2 * source.stat().st_size
    kept = load_image(store.path_of(file), Size(1600, 1200)).astype(int)
    with Image.open(source) as sent:
        assert np.abs(kept - np.asarray(sent.convert("RGB"))).mean() < 4
    with Image.open(store.path_of(file)) as clean:
        assert set(clean.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


async def test_a_drawing_stays_as_it_is_to_the_number(tmp_path: Path, store: MediaStore) -> None:
    drawing = photo(64, 48, 0).resize((1280, 960), Image.Resampling.NEAREST)
    drawing.save(tmp_path / "a.png")

    file = await store.admit(tmp_path / "a.png", "image", MediaKind.IMAGE)

    assert file.suffix == ".png"
    assert np.array_equal(load_image(store.path_of(file), Size(1280, 960)), np.asarray(drawing))


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("voice.ogg", ("-c:a", "libopus", "-b:a", "32k", "-ac", "1")),
        ("song.mp3", ("-b:a", "128k", "-ac", "2")),
        ("memo.m4a", ("-b:a", "64k", "-ar", "44100")),
    ],
)
async def test_a_lossy_sound_is_stored_in_at_most_twice_its_bytes(
    name: str, codec: tuple[str, ...], tmp_path: Path, store: MediaStore
) -> None:
    source = tmp_path / name
    wave = "aevalsrc=0.3*sin(880*PI*t)+0.05*random(0)|0.3*sin(880*PI*t):s=48000:d=30"
    recordings.ffmpeg("-f", "lavfi", "-i", wave, *codec, source)

    file = await store.admit(source, "audio", MediaKind.AUDIO)

    assert file.suffix == ".ogg"
    assert file.size_bytes <= 2 * source.stat().st_size
    heard = load_sound(store.path_of(file), 16_000, 1).samples[0]
    assert len(heard) == pytest.approx(file.seconds * 16_000, abs=2)
    assert np.argmax(np.abs(np.fft.rfft(heard[16_000:32_000]))) == 440
    sent = load_sound(source, 16_000, 1).samples[0]
    assert np.std(heard) == pytest.approx(np.std(sent), rel=0.1)


@pytest.mark.parametrize("suffix", ALL_SUFFIXES)
def test_every_name_of_a_stored_file_is_known_to_who_copies_and_deletes(suffix: str) -> None:
    file = MediaFile("a" * 64, suffix, MediaKind.IMAGE, 1)

    for shape in (file_names.MEDIA, FOLDERS["media"], file_names.STAGED):
        assert shape.fullmatch(file.name)
    assert file_names.STAGED.fullmatch(staged_name(InputFile("image", file)))


def test_what_is_prepared_from_a_film_has_a_name_that_is_deleted() -> None:
    film = MediaFile("a" * 64, ".mp4", MediaKind.VIDEO, 1)
    control = ControlVideo(Size(64, 64), Size(64, 64), 9, 8)

    assert file_names.STAGED.fullmatch(staged_name(InputFile("video", film, control)))
