"""``clapper backup``, ``restore`` and ``accept-database``: copies of the data, and which counts."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from core.app.backup import make_backup
from core.app.maintenance import make_folders
from core.app.restore import restore_backup
from core.cli.exit_codes import out
from core.i18n.messages import say
from core.runtime.paths import readable
from core.settings import Settings, load_settings
from core.storage.database import open_database
from core.storage.record import accept

APP = typer.Typer()


@APP.command("backup", help=say("help_backup"))
def backup_command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help=say("help_backup_folder"))],
) -> None:
    """Back up everything, while the service runs or not."""
    made = make_backup(load_settings(), folder)
    facts = {
        "path": readable(made.folder),
        "jobs": made.contents.jobs,
        "files": len(made.files),
        "size": made.size_bytes,
    }
    _print(say("backup_made", facts))
    if made.absent:
        _print(say("backup_absent", {"count": made.absent}))


@APP.command("restore", help=say("help_restore"))
def restore_command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help=say("help_restore_folder"))],
    *,
    force: Annotated[bool, typer.Option("--force", help=say("help_restore_force"))] = False,
) -> None:
    """Put a backup in the place of the data."""
    backup, aside = restore_backup(load_settings(), folder, force=force)
    facts = {"made_at": backup.made_at_ms, "jobs": backup.contents.jobs}
    _print(say("restore_done", facts))
    if aside is not None:
        _print(say("restore_aside", {"path": readable(aside)}))


@APP.command("accept-database", help=say("help_accept_database"))
def accept_command() -> None:
    """Go on with the database in use, whatever the clips have seen."""
    settings = load_settings()
    make_folders(settings)
    asyncio.run(_accept(settings))
    _print(say("database_accepted", {"folder": readable(settings.clips_folder)}))


async def _accept(settings: Settings) -> None:
    async with open_database(
        settings.database, settings.data_dir, insecure=settings.database_insecure
    ) as database:
        await accept(database, settings.data_dir)


def _print(sentence: str) -> None:
    out().print(sentence, soft_wrap=True)
