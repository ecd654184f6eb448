"""Formats are told by their first bytes, and every refused one has a name people understand."""

import pytest

from core.domain.file_types import ACCEPTED
from core.domain.media import MediaKind
from core.i18n.messages import sentences
from core.media.intake.formats import _REFUSED, describe_refused, detect, detect_file


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
        (b"RF64\xff\xff\xff\xffWAVEds64", "WAV"),
        (b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb", "W64"),
        (b"FORM\0\0\0\0AIFCFVER", "AIFF"),
        (b"FORM\0\0\0\0AIFFCOMM", "AIFF"),
        (b"caff\0\x01\0\0", "CAF"),
        (b".snd\0\0\0\x18", "AU"),
        (b"#!AMR\n\x3c", "AMR"),
        (b"#!AMR-WB\n", "AMR"),
        (b"RIFF\0\0\0\0AVI LIST", "AVI"),
        ((b"G" + bytes(187)) * 5, "MPEG-TS"),
        ((bytes(4) + b"G" + bytes(187)) * 5, "MPEG-TS"),
        (bytes(77) + (b"G" + bytes(187)) * 9, "MPEG-TS"),
        (b"\0\0\x01\xba\x44", "MPEG"),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9", "WMV"),
        (b"FLV\x01\x05", "FLV"),
        (b"\x0b\x77\x12\x34\x1c\x40", "AC-3"),
        (b"\x0b\x77\x04\xff\x3f\x85", "E-AC-3"),
        (b"\0\0\0\x14ftyp3gp5\0\0\0\0", "MP4"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1heicmiaf", "HEIC"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", "AVIF"),
        (b"\0\0\0\x1cftypavis\0\0\0\0msf1avifmiaf", "AVIF"),
    ],
)
def test_accepted_formats_are_told_by_their_first_bytes(head: bytes, name: str) -> None:
    found = detect(head)

    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(
    "head",
    [b"", b"\xff", b"RIFF", b"G" * 40, b"\xff\xfeh\0i\0", b"\n\x89PNG", b"#EXTM3U"],
)
def test_everything_else_is_none_of_them(head: bytes) -> None:
    assert detect(head) is None


def test_everything_that_is_named_has_words() -> None:
    named = {part for _, *parts in _REFUSED for part in parts} | {"unknown_format", "plain_text"}

    assert {name for name in named if f"names.{name}" not in sentences("en")} == set()


def test_a_playlist_is_no_film_even_behind_white_space_and_a_mark() -> None:
    assert describe_refused(b" \n\t#EXTM3U")[0] == "playlist"
    assert describe_refused(b"ffconcat version 1.0")[0] == "playlist"
    assert describe_refused(b"<?xml?><MPD>")[0] == "playlist"


def test_every_kind_says_what_it_accepts() -> None:
    assert set(ACCEPTED) == set(MediaKind)


ID3 = b"ID3\x03\0\0\0\0\x40\x0a" + bytes(8202)
MP3_FRAME = b"\xff\xfb\x90\x00".ljust(417, b"\xaa")


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (ID3 + b"fLaC\0", "FLAC"),
        (ID3 + ID3 + b"\xff\xf1\x50", "AAC"),
        (ID3 + b"RIFF\0\0\0\0WAVE", "WAV"),
        (ID3 + b"OggS", "OGG"),
        (ID3 + MP3_FRAME, "MP3"),
        (ID3 + b"\xff\xd8\xff", "MP3"),
        (ID3, "MP3"),
        (bytes(20_000) + MP3_FRAME * 3, "MP3"),
        (MP3_FRAME[100:] + MP3_FRAME * 4, "MP3"),
    ],
)
def test_what_is_behind_tags_and_zeros_counts(content: bytes, name: str) -> None:
    found = detect_file(lambda at, count: content[at : at + count])

    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("content", [b"", bytes(100_000), b"\xff" * 4096, b"ID4" + MP3_FRAME[:9]])
def test_noise_is_no_sound(content: bytes) -> None:
    assert detect_file(lambda at, count: content[at : at + count]) is None
