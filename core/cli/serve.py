"""``clapper serve``: the service, with every front that is configured."""

from typing import Annotated

import typer

from core.app.logs import log_as
from core.app.serve import run_service
from core.cli.core_session import announce_to
from core.cli.exit_codes import err, explained_exit
from core.i18n.messages import say
from core.settings import load_settings

APP = typer.Typer()


@APP.command("serve", help=say("help_serve"))
def serve_command(
    *,
    studio_only: Annotated[
        bool, typer.Option("--studio-only", help=say("help_studio_only"))
    ] = False,
    no_worker: Annotated[bool, typer.Option("--no-worker", help=say("help_no_worker"))] = False,
    lan: Annotated[bool, typer.Option("--lan", help=say("help_lan"))] = False,
    no_supervise: Annotated[
        bool, typer.Option("--no-supervise", help=say("help_no_supervise"))
    ] = False,
    supervised: Annotated[int | None, typer.Option("--supervised", hidden=True)] = None,
) -> None:
    """Serve until SIGINT or SIGTERM."""
    del no_supervise  # core.cli.supervised has looked at it
    with explained_exit(interrupted="stopped"):  # while it starts; then it listens itself
        _serve(studio_only=studio_only, no_worker=no_worker, lan=lan, supervised=supervised)


def _serve(*, studio_only: bool, no_worker: bool, lan: bool, supervised: int | None) -> None:
    without_bots = {"discord_token": None, "telegram_token": None, "studio": True}
    changes: dict[str, object] = {**(without_bots if studio_only else {})}
    if lan:
        changes["studio_host"] = "0.0.0.0"  # noqa: S104  # that is what was asked for
    settings = load_settings(**changes)
    if no_worker:  # not among the changes: a file of rows is told as what keeps it from working
        node = settings.node.model_copy(update={"worker": False})
        settings = settings.model_copy(update={"node": node})
    log_as(settings)
    run_service(settings, announce_to(err()), supervised)
