"""A preview that another machine sent is shown to somebody: only what could be ours is taken."""

import base64

import pytest

from core.domain.clip_preview import MOST_BYTES, MOST_MOMENTS, ClipPreview, read_preview

WHOLE = b"RIFF\x24\x00\x00\x00WEBPVP8 " + b"\x00" * 24


def test_it_arrives_as_it_was_sent() -> None:
    sent = ClipPreview(WHOLE, 8)

    read = read_preview(sent.text, sent.moments)

    assert read == sent
    assert read is not None
    assert read.tag == sent.tag != ClipPreview(WHOLE + b"1", 8).tag


def test_no_log_shows_it() -> None:
    assert "RIFF" not in repr(ClipPreview(WHOLE, 8))


@pytest.mark.parametrize(
    ("picture", "moments"),
    [
        (b"", 1),
        (b"<svg onload=alert(1)>", 1),
        (b"\x89PNG\r\n\x1a\n", 1),
        (WHOLE[:8] + b"WAVE" + WHOLE[12:], 1),
        (WHOLE + b"\x00" * MOST_BYTES, 1),
        (WHOLE, 0),
        (WHOLE, MOST_MOMENTS + 1),
    ],
)
def test_what_is_no_preview_of_ours_is_not_taken(picture: bytes, moments: int) -> None:
    assert read_preview(base64.b64encode(picture).decode(), moments) is None


@pytest.mark.parametrize("text", ["?", "a", "ab\n=", "ä"])
def test_what_is_not_base64_is_not_taken(text: str) -> None:
    assert read_preview(text, 1) is None
