"""Hand ``clapper generate`` to the service that runs here: the same sentences, its device."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from core.cli.exit_codes import OutputKept
from core.cli.generation_lines import print_accepted
from core.cli.terminal import PlainConsole
from core.control.client import ControlClient
from core.control.commands import GenerateClip
from core.control.reports import (
    GenerationAccepted,
    GenerationEnded,
    GenerationProgress,
    JobReport,
)
from core.delivery.file_delivery import TerminalBars, say_delivered, say_failed
from core.domain.modes import Mode
from core.domain.options import Options
from core.errors.setup import ServiceGone
from core.runtime.paths import readable
from core.runtime.tasks import outcome_of

CANCEL_S = 5.0  # until a job that was cancelled has to be told


def clip_command(
    mode: Mode, options: Options, paths: Mapping[str, Path], out: Path, *, force: bool
) -> GenerateClip:
    """Return the command for a request; paths become bytes as characters, as not all are text."""
    return GenerateClip(
        mode=mode,
        key=uuid4().hex,
        out=_sent(out),
        options={name: _clean(value) for name, value in options.values().items()},
        files={role: _sent(path) for role, path in paths.items()},
        force=force,
    )


def _sent(path: Path) -> str:
    return os.fsencode(path.absolute()).decode("latin-1")


def _clean(value: Any) -> Any:  # noqa: ANN401  # a value of any option
    """Leave out what is no character: bytes of an argument that are not UTF-8."""
    return value.encode("utf-8", "ignore").decode() if isinstance(value, str) else value


class RemoteGeneration:
    """One clip that the running service makes, as a terminal shows it."""

    def __init__(
        self, service: ControlClient, command: GenerateClip, console: PlainConsole
    ) -> None:
        """Take what makes it, what is asked, and where the sentences go."""
        self._service = service
        self._command = command
        self._console = console
        self._bars = TerminalBars(console)
        self._job_id = ""
        self._mode = command.mode.value

    async def run(self) -> JobReport:
        """Have it made and delivered; cancelling this cancels the job.

        Raises:
            ClapperError: it was refused, or the service ended.
            OutputKept: the clip is made, and could not be put there.
            CancelledError: somebody interrupted; the job is cancelled and refunded.
        """
        try:
            ended = await self._watch(self._service.ask(self._command, answer_s=None))
        except asyncio.CancelledError:
            await outcome_of(self._cancel(), CANCEL_S)
            raise
        finally:
            self._bars.close()
        return self._told(ended)

    async def _cancel(self) -> None:
        await self._service.stop()
        await self._watch(self._service.rest(self._command, None))

    async def _watch(self, events: AsyncIterator[Any]) -> GenerationEnded:
        """Show what comes until the end.

        Raises:
            ClapperError: as the service says it.
            ServiceGone: it said no more.
        """
        ended: GenerationEnded | None = None
        async for event in events:
            match event:
                case GenerationAccepted(job_id=job_id):
                    self._job_id = job_id
                    print_accepted(event, self._console)
                case GenerationProgress(progress=progress):
                    self._bars.show(self._job_id, self._mode, progress)
                case GenerationEnded():
                    ended = event
                case _:
                    pass
        if ended is None:
            raise ServiceGone
        return ended

    def _told(self, ended: GenerationEnded) -> JobReport:
        """Print how it ended.

        Raises:
            OutputKept: the clip is made, and could not be put there.
        """
        self._bars.end(self._job_id)
        job = ended.job
        if job.failure is not None:
            say_failed(self._console, self._mode, job.failure)
        elif ended.file is not None:
            say_delivered(self._console, self._mode, Path(ended.file))
        elif job.clip is not None:
            reason = ended.undelivered.data["reason"] if ended.undelivered else "not_writable"
            out = os.fsdecode(self._command.out.encode("latin-1"))
            raise OutputKept(readable(Path(out)), readable(Path(job.clip.path)), str(reason))
        return job
