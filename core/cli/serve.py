"""``clapper serve``: the service, with every front that is configured."""

import asyncio

import typer

from core.cli.exits import err
from core.cli.session import announce_to
from core.logs import secrets_of, set_up_logging
from core.messages import say
from core.serve import serve
from core.settings import load_settings

APP = typer.Typer()


@APP.command("serve", help=say("help_serve"))
def serve_command() -> None:
    """Serve until SIGINT or SIGTERM."""
    settings = load_settings()
    set_up_logging(settings.log_level, secrets=secrets_of(settings))
    asyncio.run(serve(settings, announce_to(err())))
