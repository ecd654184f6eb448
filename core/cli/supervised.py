"""The parent of ``clapper serve`` and ``clapper worker``; imported before anything heavy."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from core.errors import ClapperError
from core.settings import Settings, load_settings, use_env_file

DIRECT = frozenset({"--no-supervise", "--supervised", "--help", "-h", "--version"})
SERVICES = (["serve"], ["worker"])
OVER_GRACE_S = 4.5  # a service that hangs at its end is killed so long after its grace


def run_supervised(arguments: Sequence[str]) -> int | None:
    """Supervise the service where ``arguments`` ask for one.

    Returns:
        The exit status; None where this process has to run the command itself.
    """
    settings = _settings_of_service(arguments)
    if settings is None:
        return None
    from core.app.supervisor import RestartRules, Supervisor, tell_terminal

    worker = settings.worker
    grace_s = max(worker.shutdown_grace_s, settings.node.notice_s if "worker" in arguments else 0)
    rules = RestartRules(worker.restarts_an_hour, stop_s=grace_s + OVER_GRACE_S)
    command = [sys.executable, "-P", "-c", "from core.cli import main; main()", *arguments]
    return Supervisor(command, rules, tell_terminal).run()


def _settings_of_service(arguments: Sequence[str]) -> Settings | None:
    rest = _without_env_file(arguments)
    named = [argument for argument in rest if not argument.startswith("-")]
    if os.name != "posix" or named[:1] not in SERVICES or DIRECT.intersection(arguments):
        return None
    try:
        settings = load_settings()
    except ClapperError:
        return None  # the command itself says what is wrong
    return settings if settings.worker.supervise else None


def _without_env_file(arguments: Sequence[str]) -> list[str]:
    """Return ``arguments`` without the file of settings, which is read from now on."""
    rest: list[str] = []
    given = iter(arguments)
    for argument in given:
        option, equals, path = argument.partition("=")
        if option != "--env-file":
            rest.append(argument)
        elif path := path if equals else next(given, ""):
            use_env_file(Path(path))
    return rest
