"""Provenance is read from files that anybody may have sent."""

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.modes import Mode
from core.domain.presets import Preset
from core.domain.requests import Sampling
from core.media.output.provenance import Provenance, read_provenance

KNOWN = Provenance(
    "a" * 32,
    Mode.T2V,
    Sampling(Preset.FAST, 768, 512, 121, 24, seed=2**63 - 1),
    "a “kite” \U0001fa81",
    {"executor": "comfy"},
)


def box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + name + content


def film(comment: bytes) -> bytes:
    ilst = box(b"ilst", box(b"\xa9cmt", box(b"data", bytes(8) + comment)))
    meta = box(b"meta", bytes(4) + box(b"hdlr", bytes(25)) + ilst)
    moov = box(b"moov", box(b"mvhd", bytes(100)) + box(b"udta", meta))
    return box(b"ftyp", b"isom") + moov + box(b"mdat", b"...")


def read(folder: Path, content: bytes) -> Provenance | None:
    path = folder / "x.mp4"
    path.write_bytes(content)
    return read_provenance(path)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, film(KNOWN.to_json().encode())) == KNOWN


def test_a_box_with_a_64_bit_size_is_passed_over(tmp_path: Path) -> None:
    wide = struct.pack(">I4sQ", 1, b"free", 24) + bytes(8)

    assert read(tmp_path, wide + film(KNOWN.to_json().encode())) == KNOWN


@pytest.mark.parametrize(
    "comment",
    [
        b"",
        b"nice film",
        b"[]",
        b"{}",
        b'{"clapper": 99}',
        b"[" * 50_000,
        b"\xff\xfe",
        KNOWN.to_json().replace("121", "122").encode(),  # not 8k + 1
        KNOWN.to_json().replace('"t2v"', '"x2v"').encode(),
        KNOWN.to_json().replace("768", '"768"').encode(),
        KNOWN.to_json().replace('"fps"', '"gps"').encode(),
        KNOWN.to_json().replace("9223372036854775807", "9223372036854775808").encode(),
    ],
)
def test_comments_that_are_not_ours_say_nothing(comment: bytes, tmp_path: Path) -> None:
    assert read(tmp_path, film(comment)) is None


def test_a_comment_of_megabytes_is_not_read_whole(tmp_path: Path) -> None:
    padded = KNOWN.to_json().encode() + b" " * 5_000_000

    assert read(tmp_path, film(padded)) == KNOWN


@given(cut=st.integers(0, 700), noise=st.binary(max_size=64), at=st.integers(0, 400))
def test_damaged_files_never_raise(
    tmp_path_factory: pytest.TempPathFactory, cut: int, noise: bytes, at: int
) -> None:
    whole = film(KNOWN.to_json().encode())
    broken = (whole[:at] + noise + whole[at + len(noise) :])[: len(whole) - cut]

    read(tmp_path_factory.getbasetemp(), broken)


def test_a_file_full_of_tiny_boxes_is_given_up(tmp_path: Path) -> None:
    assert read(tmp_path, box(b"free", b"") * 100_000 + film(KNOWN.to_json().encode())) is None
