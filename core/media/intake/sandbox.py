"""The parent's side of the sandbox: starts the child, waits for its answer, and checks it."""

import asyncio
import errno
import json
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import structlog

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
_ANSWER_BYTES = 16_384
_STUCK = 10  # a child that gets less than a tenth of a processor waits for something else
_LONGEST_WORD = 80
_ROOT = Path(__file__).resolve().parents[3]  # where the package core lies
# one arena: each further one of glibc's would take 64 MB of the address space that is limited
_ENVIRONMENT = {"MALLOC_ARENA_MAX": "1", "LC_ALL": "C.UTF-8"}

log = structlog.get_logger(__name__)


async def run_sandbox(task: RecodeTask) -> RecodeResult:
    """Let a child process of its own do ``task``; it is killed where it is stuck.

    Args:
        task: names two open files of this process, which the child inherits.

    Returns:
        What it made.

    Raises:
        needs_time: it was stuck; every other refusal is the child's own, or of its death.
    """
    with TemporaryFile() as answer:
        child = await asyncio.create_subprocess_exec(
            *(
                sys.executable,
                "-E",
                "-s",
                "-m",
                "core.media.intake.child",
                json.dumps(asdict(task)),
            ),
            stdin=DEVNULL,
            stdout=answer,
            stderr=DEVNULL,
            cwd=_ROOT,
            env=_ENVIRONMENT,
            pass_fds=(task.source_fd, task.output_fd),
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(_STUCK * task.cpu_seconds):
                await child.wait()
        except TimeoutError:
            raise needs_time(task.role, task.kind) from None
        finally:
            await _end(child)
        answer.seek(0)
        return _judge(task, answer.read(_ANSWER_BYTES), child.returncode or 0)


async def _end(child: Process) -> None:
    if child.returncode is None:
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()


def _judge(task: RecodeTask, text: bytes, status: int) -> RecodeResult:
    """Read what the child made, or raise what it refused.

    Raises:
        _refusal: what the child told.
        _failure: what the system answered it.
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
        answer: dict[str, Any] = json.loads(text)
        if "made" in answer:
            return _made(task, answer["made"])
        if "refused" in answer:
            raise _refusal(task, answer["refused"], answer["data"])
        raise _failure(task, int(answer["errno"] or 0))
    except (ValueError, TypeError, KeyError):
        log.warning("media_sandbox_died", status=status, reader=task.reader)
        raise MediaDamaged(task.role) from None


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
    in_range = 0 <= made.seconds <= task.max_seconds + 1 and 0 <= made.fps <= task.max_fps
    if not in_range or made.suffix not in SUFFIXES[task.kind]:
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
