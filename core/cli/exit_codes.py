"""Turn an error into a sentence and an exit status, the same for every command."""

import asyncio
import logging
import socket
from contextlib import AbstractContextManager, suppress
from enum import IntEnum
from types import TracebackType

import structlog
import typer
from typer.exceptions import TyperException

from core.app import supervisor
from core.cli.crash_report import write_report
from core.cli.terminal import OutputUnwritable, err, out, print_json
from core.errors import (
    ClapperError,
    DeviceLost,
    GenerationFailed,
    InvalidInput,
    Refused,
    SetupProblem,
)
from core.i18n.messages import explain, say
from core.runtime.terminal_text import printable
from core.storage.trouble import members_of, storage_problem

log = structlog.get_logger(__name__)

__all__ = ["ExitStatus", "err", "explained_exit", "out", "print_json"]

# the root of commands says these itself; a reader that went away is told nothing
_SAID_ELSEWHERE = (TyperException, typer.Exit, SystemExit, BrokenPipeError)


class ExitStatus(IntEnum):
    """What the process ends with."""

    DONE = 0
    INVALID = 2  # the request can never work; also wrong options
    REFUSED = 3  # not now, or not for this account
    FAILED = 4  # accepted, but no clip came of it
    SETUP = 5  # the installation
    DEFECT = 70  # of Clapper's own, as sysexits.h counts it
    RESTART = supervisor.RESTART  # the service has to be started anew
    INTERRUPTED = 130  # Ctrl-C, as shells count it

    @classmethod
    def of(cls, error: ClapperError) -> "ExitStatus":
        """Return the status for ``error``."""
        for kind, status in (
            (DeviceLost, cls.RESTART),
            (InvalidInput, cls.INVALID),
            (Refused, cls.REFUSED),
            (GenerationFailed, cls.FAILED),
            (ProgramDefect, cls.DEFECT),
        ):
            if isinstance(error, kind):
                return status
        return cls.SETUP


class FileAbsent(InvalidInput):
    """There is no such file to read."""

    path: str


class OutputRefused(InvalidInput):
    """The result cannot be written there."""

    path: str


class OutputKept(GenerationFailed):
    """The clip was made and lies at ``kept``, but could not be written to ``path``."""

    path: str
    kept: str
    reason: str  # full or not_writable


class TextUnreadable(SetupProblem):
    """Something that has to be text is none; ``detail`` is the reason."""

    detail: str


class ConnectionRefused(SetupProblem):
    """Another machine, or a program on this one, does not answer; ``detail`` is the reason."""

    detail: str


class ProgramDefect(SetupProblem):
    """Something that nothing of ours foresees; ``report`` is where its details are."""

    kind: str
    report: str


class explained_exit(AbstractContextManager[None]):  # noqa: N801  # read as a verb where it stands
    """Turn whatever breaks inside the block into a sentence and the exit of the process.

    Args:
        as_json: on standard output, as ``{"error": {"code", "message", …}}``.
        interrupted: the sentence after Ctrl-C; it has to be true of what the block does.
    """

    def __init__(self, *, as_json: bool = False, interrupted: str = "cli_stopped") -> None:
        self._as_json = as_json
        self._interrupted = interrupted

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Say what happened.

        Raises:
            Exit: instead of the problem.
        """
        del kind, trace
        if isinstance(error, TyperException):  # said by typer, whose message quotes what was typed
            error.message = printable(error.message)
        if error is None or isinstance(error, _SAID_ELSEWHERE):
            return
        if isinstance(error, KeyboardInterrupt | asyncio.CancelledError):
            err().print(say(self._interrupted), soft_wrap=True)
            raise typer.Exit(ExitStatus.INTERRUPTED) from None
        if isinstance(error, typer.Abort):  # at a question, whose line is not ended yet
            ended = isinstance(error.__context__, EOFError)
            err().print(f"\n{say('cli_unanswered' if ended else 'cli_left')}", soft_wrap=True)
            raise typer.Exit(ExitStatus.INVALID if ended else ExitStatus.INTERRUPTED) from None
        problem = _named(error)
        if structlog.is_configured() and logging.getLogger().isEnabledFor(logging.DEBUG):
            log.debug("command_failed", exc_info=error)
        self._say(problem)
        raise typer.Exit(ExitStatus.of(problem)) from None

    def _say(self, problem: ClapperError) -> None:
        if self._as_json and not isinstance(problem, OutputUnwritable):
            told = {"code": problem.code, "message": explain(problem), "data": problem.data()}
            with suppress(OutputUnwritable):  # then standard error says it
                print_json({"error": told})
                return
        sentence = explain(problem)
        err().print(sentence, style="red", soft_wrap=True)


def _named(error: BaseException) -> ClapperError:
    """Return our error for ``error``; one that nothing of ours foresees is written down."""
    if isinstance(error, UnicodeError):
        coded = isinstance(error, UnicodeDecodeError | UnicodeEncodeError)
        return TextUnreadable(error.reason if coded else str(error))
    if isinstance(error, ConnectionError | TimeoutError | socket.gaierror):
        return ConnectionRefused(error.strerror or type(error).__name__)
    known = storage_problem(error)
    if known is not None:
        return known
    return ProgramDefect(type(members_of(error)[0]).__name__, write_report(error))
