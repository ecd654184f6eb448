"""Formats are told by their first bytes, and every refused one has a name people understand."""

import pytest

from core.domain.media import MediaKind
from core.i18n.messages import sentences
from core.media.intake.formats import ACCEPTED, detect, name_refused

NAMES = [
    "svg", "pdf", "web_page", "playlist", "fits", "postscript", "tiff", "bmp", "heic", "avif",
    "avi", "archive", "program", "unknown_format", "moving_picture",
    "damaged", "empty", "missing", "too_costly", "no_audio", "no_video",
]  # fmt: skip


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"\xff\xd8\xff\xe0", "JPEG"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "WebP"),
        (b"RIFF\0\0\0\0WAVEfmt ", "WAV"),
        (b"ID3\x04", "MP3"),
        (b"\xff\xfb\x90", "MP3"),
        (b"\xff\xf1\x50", "AAC"),
        (b"fLaC\0", "FLAC"),
        (b"OggS\0", "OGG"),
        (b"\0\0\0\x20ftypisom", "MP4"),
        (b"\0\0\0\x14ftypqt  ", "MP4"),
        (b"\0\0\0\x08wide\0\0\0\x08mdat", "MP4"),
        (b"\x1a\x45\xdf\xa3\x9f", "WebM"),
        (b"GIF89a", "GIF"),
    ],
)
def test_accepted_formats_are_told_by_their_first_bytes(head: bytes, name: str) -> None:
    found = detect(head)

    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(
    "head",
    [b"", b"\xff", b"RIFF", b"RIFF\0\0\0\0AVI ", b"\xff\xfeh\0i\0", b"\n\x89PNG", b"#EXTM3U"],
)
def test_everything_else_is_none_of_them(head: bytes) -> None:
    assert detect(head) is None


def test_names_have_words() -> None:
    assert [name for name in NAMES if f"names.{name}" not in sentences("en")] == []
    assert name_refused(b"") == "unknown_format"


def test_a_playlist_is_no_film_even_behind_white_space_and_a_mark() -> None:
    assert name_refused(b" \n\t#EXTM3U") == "playlist"
    assert name_refused(b"ffconcat version 1.0") == "playlist"
    assert name_refused(b"<?xml?><MPD>") == "playlist"


def test_every_kind_says_what_it_accepts() -> None:
    assert set(ACCEPTED) == set(MediaKind)
