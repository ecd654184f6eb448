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
    IntakeClosed,
    MediaFormatRefused,
    MediaRefused,
    MediaTooLong,
    MediaTooManyPixels,
    MediaUnreadable,
    Scalar,
)
from core.media.intake.protocol import RecodeResult, RecodeTask

_REFUSALS = {
    kind.code: kind
    for kind in (MediaTooManyPixels, MediaTooLong, MediaFormatRefused, MediaUnreadable)
}
_ANSWER_BYTES = 16_384
_LONGEST_WORD = 80
_ROOT = Path(__file__).resolve().parents[3]  # where the package core lies
# one arena: each further one of glibc's would take 64 MB of the address space that is limited
_ENVIRONMENT = {"MALLOC_ARENA_MAX": "1", "LC_ALL": "C.UTF-8"}

log = structlog.get_logger(__name__)


async def run_sandbox(task: RecodeTask, seconds: float) -> RecodeResult:
    """Let a child process of its own do ``task``.

    Args:
        task: names two open files of this process, which the child inherits.
        seconds: wall time after which it is killed.

    Returns:
        What it made.

    Raises:
        MediaUnreadable: it took too long or died; every other refusal is the child's own.
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
            async with asyncio.timeout(seconds):
                await child.wait()
        except TimeoutError:
            raise MediaUnreadable(task.role, "too_costly") from None
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
        MediaUnreadable: it died, or its answer makes no sense.
        IntakeClosed: the disk is full.
    """
    if -status in {signal.SIGKILL, signal.SIGXCPU}:
        raise MediaUnreadable(task.role, "too_costly")
    try:
        answer: dict[str, Any] = json.loads(text)
        if "made" in answer:
            return _made(task, answer["made"])
        if "refused" in answer:
            raise _refusal(task, answer["refused"], answer["data"])
        failed = int(answer["errno"] or 0)
    except (ValueError, TypeError, KeyError):
        log.warning("media_sandbox_died", status=status, reader=task.reader)
        raise MediaUnreadable(task.role, "damaged") from None
    if failed in {errno.ENOSPC, errno.EDQUOT}:
        raise IntakeClosed("disk")
    raise MediaUnreadable(task.role, "too_costly" if failed == errno.EFBIG else "damaged")


def _made(task: RecodeTask, data: dict[str, float]) -> RecodeResult:
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
    )
    if not 0 <= made.seconds <= task.max_seconds + 1 or not 0 <= made.fps <= task.max_fps:
        raise ValueError(made)
    return made


def _refusal(task: RecodeTask, code: str, data: dict[str, Any]) -> MediaRefused:
    """Rebuild the error that the child reported, with plain and short values.

    Raises:
        TypeError: it is none.
    """
    told: dict[str, Scalar] = {}
    for name, value in data.items():
        if not isinstance(value, str | int | float):
            raise TypeError(name)
        told[name] = value[:_LONGEST_WORD] if isinstance(value, str) else value
    told["role"] = task.role
    return _REFUSALS[code](**told)  # pyright: ignore[reportArgumentType]  # the constructor checks the names
