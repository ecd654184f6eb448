"""The parent's side of the sandbox: starts the child and waits until it has answered."""

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, Process
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryFile

from core.media.intake.child_answer import read_answer, unready
from core.media.intake.protocol import RecodeResult, RecodeTask
from core.media.intake.reasons import needs_time

_ANSWER_BYTES = 16_384
_STUCK = 10  # a child that gets less than a tenth of a processor waits for something else
_ROOT = Path(__file__).resolve().parents[3]  # where the package core lies
# one arena: each further one of glibc's would take 64 MB of the address space that is limited
_ENVIRONMENT = {"MALLOC_ARENA_MAX": "1", "LC_ALL": "C.UTF-8"}


async def run_sandbox(task: RecodeTask) -> RecodeResult:
    """Let a child process of its own do ``task``; it is killed where it is stuck.

    Args:
        task: names two open files of this process, which the child inherits.

    Returns:
        What it made.

    Raises:
        unready: it could not be started.
        needs_time: it was stuck; every other refusal is the child's own, or of its death.
    """
    with TemporaryFile() as answer:
        try:
            child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-E", "-s", "-m", "core.media.intake.child"),
                json.dumps(asdict(task)),
                stdin=DEVNULL,
                stdout=answer,
                stderr=DEVNULL,
                cwd=_ROOT,
                env=_ENVIRONMENT,
                pass_fds=(task.source_fd, task.output_fd),
                start_new_session=True,
            )
        except OSError as error:
            raise unready(f"{type(error).__name__}: {error}") from error
        try:
            async with asyncio.timeout(_STUCK * task.cpu_seconds):
                await child.wait()
        except TimeoutError:
            raise needs_time(task.role, task.kind) from None
        finally:
            await _end(child)
        answer.seek(0)
        return read_answer(task, answer.read(_ANSWER_BYTES), child.returncode or 0)


async def _end(child: Process) -> None:
    if child.returncode is None:
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()
