"""``clapper invariants``: check that the rows agree with each other."""

import asyncio

import typer

from core.app.self_check import contradictions
from core.cli.exit_codes import ExitStatus, err, out
from core.control.client import running_service
from core.control.commands import CheckInvariants
from core.i18n.messages import say
from core.settings import Settings, load_settings
from core.storage.claim import claim
from core.storage.database import open_database
from core.storage.lock import DirectoryHold

APP = typer.Typer()


@APP.command("invariants", help=say("help_invariants"))
def invariants_command() -> None:
    """Check the database and print what contradicts itself.

    Raises:
        Exit: with the status of a broken installation where anything does.
    """
    found = asyncio.run(violations(load_settings()))
    for violation in found:
        err().print(violation, soft_wrap=True)
    if found:
        raise typer.Exit(ExitStatus.SETUP)
    out().print(say("cli_invariants_hold"))


async def violations(settings: Settings) -> list[str]:
    """Check the database of this data directory; return a line for every contradiction.

    A running service checks it itself.

    Raises:
        SetupProblem: it cannot be opened, or another process uses it.
    """
    async with running_service(settings.data_dir) as client:
        if client is not None:
            return [item.text async for item in client.ask(CheckInvariants())]
    claim(settings.data_dir)
    async with open_database(
        settings.database,
        settings.data_dir,
        insecure=settings.database_insecure,
        hold=DirectoryHold.NOT,
    ) as database:
        return [str(violation) for violation in await contradictions(database)]
