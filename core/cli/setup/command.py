"""``clapper setup``: the command, from the questions to the first start."""

import errno
import os
import shlex
import sys
from pathlib import Path
from tempfile import TemporaryFile
from typing import Annotated

import typer
from pydantic import SecretStr

from core.cli.doctor import doctor
from core.cli.exit_codes import ExitStatus, err, out
from core.cli.questions import confirmed
from core.cli.setup.answers import Answers
from core.cli.setup.pasted import pasted_token
from core.cli.setup.questions import Asking, answered
from core.cli.setup.settings_text import settings_text
from core.errors.setup import SettingsThere
from core.i18n.messages import say
from core.models.catalog import Profile
from core.runtime.atomic_files import write_atomically
from core.runtime.paths import absolute_path
from core.runtime.program_files import SETTINGS_FOLDER
from core.settings import load_settings, use_env_file

APP = typer.Typer()
_KEPT = ".before-setup"  # what an older file of settings is kept as


@APP.command("setup", help=say("help_setup"))
def setup(
    *,
    discord_token: Annotated[
        Path | None, typer.Option("--discord-token-file", help=say("help_setup_token"))
    ] = None,
    telegram_token: Annotated[
        Path | None, typer.Option("--telegram-token-file", help=say("help_setup_token"))
    ] = None,
    operators: Annotated[
        list[str] | None, typer.Option("--operator", help=say("help_setup_operator"))
    ] = None,
    profile: Annotated[Profile | None, typer.Option(help=say("help_setup_profile"))] = None,
    allowed: Annotated[str | None, typer.Option(help=say("help_setup_allowed"))] = None,
    data_dir: Annotated[Path | None, typer.Option(help=say("help_setup_data"))] = None,
    file: Annotated[Path | None, typer.Option(help=say("help_setup_file"))] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=say("help_setup_yes"))] = False,
    force: Annotated[bool, typer.Option("--force", help=say("help_setup_force"))] = False,
    start: Annotated[bool | None, typer.Option(help=say("help_setup_start"))] = None,
) -> None:
    """Ask, write the file of settings, look at everything, and start.

    Raises:
        Exit: with the status of a broken installation where a token or the doctor says no.
    """
    path = _target(file, force=force)
    given = Answers(
        _token(discord_token), _token(telegram_token), tuple(operators or ()), allowed, profile,
        _absolute(data_dir) if data_dir else None,
    )  # fmt: skip
    answers = answered(given, Asking(quiet=yes))
    _write(path, answers)
    _tell("setup_written", path=path)
    use_env_file(path)
    command = _command_for(path)
    try:
        doctor(as_json=False)
    except typer.Exit:
        _tell("setup_after", command=command)
        raise
    _tell_address()
    if start if start is not None else not yes and confirmed(say("setup_start"), usual=True):
        _start()
    _tell("setup_later", command=command)


def _target(file: Path | None, *, force: bool) -> Path:
    """Return where the settings will be.

    Raises:
        SettingsThere: there is a file of settings already, and no ``force``.
        Exit: nothing can be written there.
    """
    path = _absolute(file or SETTINGS_FOLDER / ".env")
    if reason := _hindrance(path):
        _say_unwritten(path, reason)
        raise typer.Exit(ExitStatus.SETUP)
    if path.exists() and not force:
        raise SettingsThere(str(path))
    return path


def _hindrance(path: Path) -> str:
    """Say what keeps a file from being written at ``path``, before anybody answers questions."""
    if path.is_dir():
        return os.strerror(errno.EISDIR)
    nearest = next(folder for folder in path.parents if folder.exists())
    if not nearest.is_dir():
        return say("setup_no_folder", {"path": nearest})
    try:
        with TemporaryFile(dir=nearest):
            return ""
    except OSError as error:
        return error.strerror or ""


def _absolute(path: Path) -> Path:
    """Return ``path`` from the root on.

    Raises:
        BadParameter: it begins with ``~`` and the name of nobody.
    """
    try:
        return absolute_path(path)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _token(path: Path | None) -> SecretStr | None:
    """Read a token from ``path``; ``-`` is standard input.

    Raises:
        BadParameter: it cannot be read, or is empty.
    """
    if path is None:
        return None
    try:
        text = sys.stdin.readline() if str(path) == "-" else path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(say("setup_token_unreadable", {"path": path})) from error
    token = pasted_token(text)
    if not token:
        raise typer.BadParameter(say("setup_token_unreadable", {"path": path}))
    return SecretStr(token)


def _write(path: Path, answers: Answers) -> None:
    """Write the file for its owner alone; an older one is kept beside it.

    Raises:
        Exit: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():  # it stays whole until the new one is
            write_atomically(path.with_name(path.name + _KEPT), path.read_bytes(), 0o600)
        write_atomically(path, settings_text(answers), 0o600)
    except OSError as error:
        _say_unwritten(path, error.strerror or "")
        raise typer.Exit(ExitStatus.SETUP) from error


def _say_unwritten(path: Path, reason: str) -> None:
    err().print(say("setup_unwritten", {"path": path, "reason": reason}))


def _command_for(path: Path) -> str:
    """Return what starts a service with the settings in ``path``."""
    named = "" if path == SETTINGS_FOLDER / ".env" else f"--env-file {shlex.quote(str(path))} "
    return f"clapper {named}serve"


def _tell(code: str, **facts: object) -> None:
    out().print(say(code, facts))


def _tell_address() -> None:
    studio = load_settings().studio
    if studio.enabled:
        url = studio.url or f"http://{studio.host}:{studio.port}"
        _tell("setup_studio", url=url)


def _start() -> None:
    """Become ``clapper serve``."""
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-P", "-m", "clapper", "serve"])  # noqa: S606  # our own command, no shell
