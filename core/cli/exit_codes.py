"""Turn an error into a sentence and an exit status, the same for every command."""

import asyncio
import json
from collections.abc import Generator
from contextlib import contextmanager
from enum import IntEnum
from typing import Any

import typer
from rich.console import Console

from core.app import supervisor
from core.errors import ClapperError, DeviceLost, GenerationFailed, InvalidInput, Refused
from core.i18n.messages import explain, say


class ExitStatus(IntEnum):
    """What the process ends with."""

    DONE = 0
    INVALID = 2  # the request can never work; also wrong options
    REFUSED = 3  # not now, or not for this account
    FAILED = 4  # accepted, but no clip came of it
    SETUP = 5  # the installation
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


def out() -> Console:
    """Make the console of results, standard output."""
    return Console()


def err() -> Console:
    """Make the console of everything else, standard error."""
    return Console(stderr=True)


def print_json(data: dict[str, Any]) -> None:
    """Print one JSON object on one line."""
    typer.echo(json.dumps(data, ensure_ascii=False))


@contextmanager
def explained_exit(*, as_json: bool = False) -> Generator[None]:
    """Turn an error inside the block into its sentence and the exit of the process.

    Args:
        as_json: on standard output, as ``{"error": {"code", "message", …}}``.

    Raises:
        Exit: instead of the problem.
    """
    try:
        yield
    except ClapperError as error:
        if as_json:
            problem = {"code": error.code, "message": explain(error), "data": error.data()}
            print_json({"error": problem})
        else:
            err().print(explain(error), style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(ExitStatus.of(error)) from None
    except (KeyboardInterrupt, asyncio.CancelledError):
        err().print(say("cli_interrupted"))
        raise typer.Exit(ExitStatus.INTERRUPTED) from None
