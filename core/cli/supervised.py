"""Whether ``clapper serve`` gets a parent, and that parent; imported before anything heavy."""

import os
import sys
from collections.abc import Sequence

from core.errors import ClapperError
from core.settings import Settings, load_settings

DIRECT = frozenset({"--no-supervise", "--supervised", "--help", "-h", "--version"})
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
    rules = RestartRules(worker.restarts_an_hour, stop_s=worker.shutdown_grace_s + OVER_GRACE_S)
    command = [sys.executable, "-P", "-c", "from core.cli import main; main()", *arguments]
    return Supervisor(command, rules, tell_terminal).run()


def _settings_of_service(arguments: Sequence[str]) -> Settings | None:
    named = [argument for argument in arguments if not argument.startswith("-")]
    if os.name != "posix" or named[:1] != ["serve"] or DIRECT.intersection(arguments):
        return None
    try:
        settings = load_settings()
    except ClapperError:
        return None  # the command itself says what is wrong
    return settings if settings.worker.supervise else None
