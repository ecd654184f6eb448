"""Small pictures of admitted files: in their shape, of beginnings of films, none of sounds."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from core.demo.samples import write_png, write_video, write_wav
from core.domain.media import MediaFile, MediaKind
from core.media.thumbnails import SIDE, thumbnail


@pytest.mark.parametrize(
    ("width", "height", "size"), [(128, 96, (128, 96)), (96, 512, (24, 128)), (2000, 10, (128, 1))]
)
def test_a_picture_keeps_its_shape(
    tmp_path: Path, width: int, height: int, size: tuple[int, int]
) -> None:
    path = write_png(tmp_path / "a.png", width, height)
    file = MediaFile("0" * 64, ".png", MediaKind.IMAGE, 1, width, height)

    small = thumbnail(path, file)

    assert small is not None
    with Image.open(BytesIO(small)) as picture:
        assert (picture.format, picture.size) == ("JPEG", size)


def test_a_film_shows_its_beginning_and_a_sound_nothing(tmp_path: Path) -> None:
    film = MediaFile("0" * 64, ".mp4", MediaKind.VIDEO, 1, 96, 64, 1.0, 24.0)
    sound = MediaFile("0" * 64, ".flac", MediaKind.AUDIO, 1, seconds=1.0)

    small = thumbnail(write_video(tmp_path / "a.mp4"), film)

    assert small is not None
    with Image.open(BytesIO(small)) as picture:
        assert max(picture.size) == SIDE
    assert thumbnail(write_wav(tmp_path / "a.wav"), sound) is None


@pytest.mark.parametrize("kind", [MediaKind.IMAGE, MediaKind.VIDEO])
def test_what_cannot_be_read_has_none(tmp_path: Path, kind: MediaKind) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"nothing")

    assert thumbnail(path, MediaFile("0" * 64, "", kind, 1, 64, 64, 1.0, 24.0)) is None
    assert thumbnail(tmp_path / "none", MediaFile("0" * 64, "", kind, 1, 64, 64)) is None
