"""What a child answers whose decoder a file has taken over changes nothing but that file's fate."""

import errno
import json
import signal
from typing import Any

import pytest

from core.domain.media import MediaKind
from core.errors import IntakeClosed, MediaDamaged, MediaNeedsMemory, MediaNeedsTime, MediaTooLong
from core.media.intake.child_answer import read_answer
from core.media.intake.protocol import RecodeTask

TASK = RecodeTask(
    *(0, 0, "video", MediaKind.VIDEO, "mov"),
    max_pixels=9_000_000,
    keep_pixels=2_000_000,
    max_seconds=60.0,
    use_seconds=20.0,
    max_fps=30.0,
    memory_bytes=1,
    cpu_seconds=60.0,
    output_bytes=1,
)
MADE: dict[str, Any] = {
    "width": 640,
    "height": 480,
    "seconds": 2.5,
    "fps": 24.0,
    "sample_rate": 48_000,
    "suffix": ".mp4",
    "notes": [{"code": "film_used_in_part", "data": {"used_s": 2.5}}],
}


def answer(**changes: Any) -> bytes:
    return json.dumps({"made": MADE | changes}).encode()


def test_an_honest_answer_is_what_was_made() -> None:
    made = read_answer(TASK, answer(), 0)

    assert (made.width, made.height, made.seconds, made.suffix) == (640, 480, 2.5, ".mp4")
    assert [note.code for note in made.notes] == ["film_used_in_part"]


@pytest.mark.parametrize(
    "changes",
    [
        {"suffix": ".sh"},
        {"suffix": "/../../x.mp4"},
        {"width": -1},
        {"width": 10**9},
        {"seconds": 1e9},
        {"seconds": float("nan")},
        {"fps": float("inf")},
        {"fps": -1.0},
        {"sample_rate": 10**9},
        {"notes": [{"code": "anything", "data": {}}]},
        {"notes": [{"code": "film_used_in_part", "data": {"used_s": [1]}}]},
        {"notes": [{"code": "film_used_in_part", "data": {"used_s": float("nan")}}]},
    ],
)
def test_what_cannot_be_is_a_damaged_file(changes: dict[str, Any]) -> None:
    with pytest.raises(MediaDamaged):
        read_answer(TASK, answer(**changes), 0)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{",
        b'{"made": null}',
        b'{"refused": "quota_exceeded", "data": {}}',
        b'{"refused": "media_too_long", "data": {"seconds": NaN, "limit_s": 60}}',
        b'{"refused": "media_damaged", "data": {"role": "x", "more": 1}}',
    ],
)
def test_what_is_no_answer_is_a_damaged_file(text: bytes) -> None:
    with pytest.raises(MediaDamaged):
        read_answer(TASK, text, 0)


def test_a_refusal_is_the_child_s_own_with_short_words_and_our_role() -> None:
    data = {"role": "x" * 5000, "seconds": 90.0, "limit_s": 60.0}
    text = json.dumps({"refused": "media_too_long", "data": data}).encode()

    with pytest.raises(MediaTooLong) as refused:
        read_answer(TASK, text, 0)

    assert refused.value.role == "video"


@pytest.mark.parametrize(
    ("text", "status", "error"),
    [
        (b"", -signal.SIGPROF, MediaNeedsTime),
        (b"", -signal.SIGXCPU, MediaNeedsTime),
        (b"", -signal.SIGKILL, MediaNeedsMemory),
        (b"", -signal.SIGSEGV, MediaDamaged),
        (json.dumps({"errno": errno.ENOSPC}).encode(), 0, IntakeClosed),
        (json.dumps({"errno": errno.ENOMEM}).encode(), 0, MediaNeedsMemory),
        (json.dumps({"errno": errno.EFBIG}).encode(), 0, MediaNeedsTime),
        (json.dumps({"errno": None}).encode(), 0, MediaDamaged),
    ],
)
def test_the_way_it_ended_says_what_to_do(text: bytes, status: int, error: type) -> None:
    with pytest.raises(error):
        read_answer(TASK, text, status)


def test_a_child_that_cannot_begin_is_no_fault_of_the_file() -> None:
    text = json.dumps({"unready": "ModuleNotFoundError: No module named 'pillow_heif'"}).encode()

    with pytest.raises(IntakeClosed) as closed:
        read_answer(TASK, text, 0)

    assert closed.value.reason == "reader"
    assert "pillow_heif" in str(closed.value.__cause__)
