"""A part of a file is cut out where it is decoded: of pictures, sounds and films alike."""

import wave
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from core.demo.samples import write_png
from core.domain.limits import MediaLimits
from core.domain.media import MediaFile, MediaKind
from core.domain.media_cut import MediaCut
from core.errors import MediaTooLong, MediaUnreadable
from core.media.intake.store import MediaStore
from tests.integration.media.cut_sources import counting_film, steps

RATE = 48_000


@pytest.fixture
def store(tmp_path: Path) -> MediaStore:
    return MediaStore(tmp_path / "inputs", MediaLimits())


def heard(path: Path) -> np.ndarray:
    with av.open(str(path)) as file:
        frames = [frame.to_ndarray() for frame in file.decode(audio=0)]
    sound = np.concatenate(frames, axis=-1)[0].astype(float)
    return sound / 32768 if np.abs(sound).max() > 2 else sound


async def test_a_picture_is_cut_to_its_box(store: MediaStore, tmp_path: Path) -> None:
    source = write_png(tmp_path / "a.png", 200, 100)
    cut = MediaCut(left=0.25, top=0.5, width=0.5, height=0.5)
    file = await store.admit(source, "image", MediaKind.IMAGE, cut=cut)
    assert (file.width, file.height) == (100, 50)
    kept, whole = Image.open(store.path_of(file)), Image.open(source)
    assert kept.getpixel((0, 0)) == whole.getpixel((50, 50))


@pytest.mark.parametrize(("start", "end"), [(1.0, 2.5), (0.0, 0.5), (2.0, None)])
async def test_a_sound_begins_and_ends_where_it_was_cut(
    store: MediaStore, tmp_path: Path, start: float, end: float | None
) -> None:
    source = steps(tmp_path / "a.wav", 3)
    file = await store.admit(source, "audio", MediaKind.AUDIO, cut=MediaCut(start, end))
    until = 3.0 if end is None else end
    assert file.seconds == pytest.approx(until - start, abs=0.002)
    sound = heard(store.path_of(file))
    assert sound[480] == pytest.approx((int(start) + 1) / 10, abs=0.01)  # level n in second n
    assert sound[-480] == pytest.approx((int(until - 0.02) + 1) / 10, abs=0.01)
    assert file.notes == ()


async def test_a_film_is_cut_in_time_and_picture_with_its_sound(
    store: MediaStore, tmp_path: Path
) -> None:
    source = counting_film(tmp_path / "a.mp4", seconds=3)
    cut = MediaCut(1.0, 2.0, left=0.5, width=0.5)
    file = await store.admit(source, "video", MediaKind.VIDEO, cut=cut)
    assert (file.width, file.height) == (48, 64)
    assert file.seconds == pytest.approx(1.0, abs=0.05)
    with av.open(str(store.path_of(file))) as kept:
        pictures = [frame.to_ndarray(format="gray") for frame in kept.decode(video=0)]
    assert pictures[0].mean() == pytest.approx(24 * 3, abs=6)  # a picture's shade is 3 × its number
    assert pictures[-1].mean() == pytest.approx(47 * 3, abs=6)
    sound = heard(store.path_of(file))
    assert len(sound) / RATE == pytest.approx(1.0, abs=0.06)


async def test_a_part_of_what_is_too_long_is_taken(store: MediaStore, tmp_path: Path) -> None:
    source = tmp_path / "long.wav"
    with wave.open(str(source), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\1\2" * 8000 * 90)
    with pytest.raises(MediaTooLong):
        await store.admit(source, "audio", MediaKind.AUDIO)
    part: MediaFile = await store.admit(source, "audio", MediaKind.AUDIO, cut=MediaCut(70, 75))
    assert part.seconds == pytest.approx(5.0, abs=0.01)
    with pytest.raises(MediaTooLong):  # a part is as long as a file may be
        await store.admit(source, "audio", MediaKind.AUDIO, cut=MediaCut(5, 80))


@pytest.mark.parametrize("kind", [MediaKind.AUDIO, MediaKind.VIDEO])
async def test_a_part_behind_the_end_says_so(
    store: MediaStore, tmp_path: Path, kind: MediaKind
) -> None:
    source = counting_film(tmp_path / "a.mp4", seconds=1)
    with pytest.raises(MediaUnreadable) as refused:
        await store.admit(source, kind, kind, cut=MediaCut(5.0))
    assert refused.value.reason == "nothing_left"
