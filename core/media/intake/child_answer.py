"""Read what the confined child answers, as if a stranger wrote it: a file may have taken it."""

import errno
import signal
from typing import Any

import structlog

from core.domain.decoding import parse_stored
from core.errors import (
    ClapperError,
    IntakeClosed,
    MediaCodecRefused,
    MediaDamaged,
    MediaFormatRefused,
    MediaKindRefused,
    MediaMetadataRefused,
    MediaNeedsMemory,
    MediaNeedsTime,
    MediaRefused,
    MediaTooLong,
    MediaTooManyFrames,
    MediaTooManyPixels,
    MediaUnreadable,
    Scalar,
)
from core.media.intake.protocol import SUFFIXES, Note, RecodeResult, RecodeTask
from core.media.intake.reasons import needs_memory, needs_time

_REFUSALS = {
    kind.code: kind
    for kind in (
        MediaCodecRefused,
        MediaDamaged,
        MediaFormatRefused,
        MediaKindRefused,
        MediaMetadataRefused,
        MediaNeedsMemory,
        MediaNeedsTime,
        MediaTooLong,
        MediaTooManyFrames,
        MediaTooManyPixels,
        MediaUnreadable,
    )
}
# what a child may say of its result; sentences of the word files, whose fields it fills
_NOTES = frozenset(
    {
        "end_missing",
        "film_read_in_part",
        "film_used_in_part",
        "first_picture_used",
        "main_picture_used",
        "other_sound_track",
        "sound_left_out",
    }
)
_LONGEST_WORD = 80
_LONGEST_REASON = 300
_HIGHEST_RATE = 48_000  # Hz; what is stored has no more

log = structlog.get_logger(__name__)


def read_answer(task: RecodeTask, text: bytes, status: int) -> RecodeResult:
    """Read what the child made, or raise what it refused.

    Args:
        task: what it was to do.
        text: its answer.
        status: its exit status; below 0 the signal that ended it.

    Raises:
        _refusal: what the child told.
        _failure: what the system answered it.
        unready: it could not begin, which is no fault of the file.
        needs_time: it used up its processor time.
        needs_memory: the system took its life, as it does when memory is short.
        MediaDamaged: it died in another way, or its answer makes no sense.
    """
    if -status in {signal.SIGPROF, signal.SIGXCPU}:
        raise needs_time(task.role, task.kind)
    if -status == signal.SIGKILL:
        log.warning("media_sandbox_killed", reader=task.reader)
        raise needs_memory(task.role, task.kind)
    try:
        answer: dict[str, Any] = parse_stored(text.decode())
        if "made" in answer:
            return _made(task, answer["made"])
        if "unready" in answer:
            raise unready(str(answer["unready"])[:_LONGEST_REASON])
        if "refused" in answer:
            raise _refusal(task, answer["refused"], answer["data"])
        raise _failure(task, int(answer["errno"] or 0))
    except (ValueError, TypeError, KeyError):
        log.warning("media_sandbox_died", status=status, reader=task.reader)
        raise MediaDamaged(task.role) from None


def unready(reason: str) -> IntakeClosed:
    """Make the error for a child that cannot read any file; ``reason`` is for the operator."""
    log.error("media_sandbox_unready", reason=reason)
    closed = IntakeClosed("reader")
    closed.__cause__ = ImportError(reason)
    return closed


def _failure(task: RecodeTask, number: int) -> ClapperError:
    """Make the error for an errno of the child."""
    if number in {errno.ENOSPC, errno.EDQUOT}:
        return IntakeClosed("disk")
    if number == errno.ENOMEM:
        return needs_memory(task.role, task.kind)
    if number == errno.EFBIG:  # more than is kept of any file: too much of it
        return needs_time(task.role, task.kind)
    return MediaDamaged(task.role)


def _made(task: RecodeTask, data: dict[str, Any]) -> RecodeResult:
    """Read what the child says that it made.

    Raises:
        ValueError: that cannot be.
    """
    made = RecodeResult(
        width=int(data["width"]),
        height=int(data["height"]),
        seconds=float(data["seconds"]),
        fps=float(data["fps"]),
        sample_rate=int(data["sample_rate"]),
        suffix=data["suffix"],
        notes=tuple(Note(_note_code(note["code"]), _plain(note["data"])) for note in data["notes"]),
    )
    in_time = 0 <= made.seconds <= task.max_seconds + 1 and 0 <= made.fps <= task.max_fps
    in_size = 0 <= made.width * made.height <= task.max_pixels and min(made.width, made.height) >= 0
    heard = 0 <= made.sample_rate <= _HIGHEST_RATE
    if not (in_time and in_size and heard) or made.suffix not in SUFFIXES[task.kind]:
        raise ValueError(made)
    return made


def _refusal(task: RecodeTask, code: str, data: dict[str, Any]) -> MediaRefused:
    """Rebuild the error that the child reported, with plain and short values.

    Raises:
        TypeError: it is none.
    """
    told: dict[str, Scalar] = {**_plain(data), "role": task.role}
    return _REFUSALS[code](**told)  # pyright: ignore[reportArgumentType]  # the constructor checks the names


def _plain(data: dict[str, Any]) -> dict[str, str | int | float]:
    """Return what the child said, with short texts.

    Raises:
        TypeError: a value is neither a text nor a number.
    """
    told: dict[str, str | int | float] = {}
    for name, value in data.items():
        if not isinstance(value, str | int | float):
            raise TypeError(name)
        told[name] = value[:_LONGEST_WORD] if isinstance(value, str) else value
    return told


def _note_code(code: str) -> str:
    """Return ``code``, which is one that a child may use.

    Raises:
        ValueError: it is not.
    """
    if code not in _NOTES:
        raise ValueError(code)
    return code
