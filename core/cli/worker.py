"""``clapper worker``: a node that makes clips for fronts elsewhere."""

from typing import Annotated

import typer

from core.app.logs import log_as
from core.app.process import run_main
from core.app.work import work
from core.cli.core_session import announce_to
from core.cli.exit_codes import err, explained_exit
from core.i18n.messages import say
from core.settings import load_settings

APP = typer.Typer()


@APP.command("worker", help=say("help_worker"))
def worker_command(
    *,
    no_supervise: Annotated[
        bool, typer.Option("--no-supervise", help=say("help_no_supervise"))
    ] = False,
    supervised: Annotated[int | None, typer.Option("--supervised", hidden=True)] = None,
) -> None:
    """Make clips until SIGINT or SIGTERM."""
    del no_supervise  # core.cli.supervised has looked at it
    with explained_exit(interrupted="stopped"):  # while it starts; then it listens itself
        settings = load_settings()
        log_as(settings)
        announce = announce_to(err())
        run_main(work(settings, announce), announce, supervised)
