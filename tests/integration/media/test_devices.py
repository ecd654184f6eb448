"""What phones, cameras and programs write by default is stored as it looks there.

A row is a device or program: the file is made by the test, and what is measured is the stored file.
"""

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from core.domain.media import MediaKind
from core.media.decode import load_sound
from core.media.intake.store import MediaStore
from tests.integration.media.device_colours import quadrants
from tests.integration.media.device_pictures import PICTURES, Picture
from tests.integration.media.device_recordings import RECORDINGS, Recording
from tests.integration.media.device_sounds import EVENT_S, SOUNDS, Sound
from tests.support import recordings as made


def largest(source: Path) -> int:
    """The most bytes that may be stored of a file."""
    return max(100_000, 2 * source.stat().st_size)


@pytest.mark.parametrize("row", PICTURES, ids=lambda row: row.device)
async def test_a_picture_is_stored_as_it_looks(
    row: Picture, tmp_path: Path, store: MediaStore
) -> None:
    source = tmp_path / "picture"
    source.write_bytes(row.make())

    file = await store.admit(source, "image", MediaKind.IMAGE)

    assert file.size_bytes <= largest(source)
    with Image.open(store.path_of(file)) as kept:
        found = quadrants(kept)
        assert kept.size == pytest.approx(row.size, abs=1)
    for told, expected in zip(found, row.colours, strict=True):
        assert told == pytest.approx(expected, abs=row.tolerance), found
    assert tuple(note.code for note in file.notes) == row.notes


@pytest.mark.parametrize("row", SOUNDS, ids=lambda row: row.device)
async def test_a_sound_is_stored_as_it_is_heard(
    row: Sound, tmp_path: Path, store: MediaStore
) -> None:
    source = row.make(tmp_path)

    file = await store.admit(source, "audio", MediaKind.AUDIO)

    path = store.path_of(file)
    assert file.seconds == pytest.approx(row.seconds, abs=0.06)
    heard = np.abs(load_sound(path, 48_000, 2).samples)
    assert heard.shape[1] == pytest.approx(file.seconds * 48_000, abs=2)
    beep = int(np.argmax(heard.max(axis=0) > 0.1)) / 48_000
    assert beep == pytest.approx(EVENT_S, abs=0.02)
    assert heard.max(axis=1) == pytest.approx(row.peaks, abs=0.06)
    with av.open(str(path)) as kept:
        assert kept.streams.audio[0].channels == row.channels
    assert tuple(note.code for note in file.notes) == row.notes
    assert file.size_bytes <= largest(source)


@pytest.mark.parametrize("row", RECORDINGS, ids=lambda row: row.device)
async def test_a_film_is_stored_as_a_player_shows_it(
    row: Recording, tmp_path: Path, store: MediaStore
) -> None:
    source = row.make(tmp_path)

    file = await store.admit(source, "video", MediaKind.VIDEO)

    path = store.path_of(file)
    assert file.size_bytes <= largest(source)
    assert (file.width, file.height) == row.size
    assert file.fps == pytest.approx(row.fps, abs=0.01)
    assert file.seconds == pytest.approx(row.seconds, abs=0.06)
    stored = made.frames(path)
    assert len(stored) == round(file.seconds * file.fps)
    assert made.worst(made.quadrants(path), row.colours) <= row.tolerance, made.quadrants(path)
    bright = [frame.mean() for frame in stored]
    flash = next(n for n, light in enumerate(bright) if light > bright[0] + 50)
    assert flash / file.fps == pytest.approx(row.event_s, abs=0.5 / file.fps + 0.02)
    if row.beeps:
        heard = np.abs(load_sound(path, 48_000, 2).samples)
        beep = int(np.argmax(heard.max(axis=0) > 0.1)) / 48_000
        assert beep == pytest.approx(row.event_s, abs=0.02)
        assert heard.max() == pytest.approx(0.5, abs=0.12)
    with av.open(str(path)) as kept:
        assert [stream.channels for stream in kept.streams.audio] == [2] * row.beeps
    assert tuple(note.code for note in file.notes) == row.notes
