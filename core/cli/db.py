"""``clapper db``: the schema of the database, and the way from SQLite to PostgreSQL."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from core.app.database_move import move_rows
from core.app.maintenance import make_folders
from core.app.schema import DatabaseLook, look_at_database, migrate_database
from core.cli.exit_codes import ExitStatus, InvalidInput, err, out, print_json
from core.i18n.messages import say
from core.runtime.paths import readable
from core.settings import Settings, load_settings
from core.storage.addresses import database_file, is_postgres, postgres_address
from core.storage.postgres_migrations import grant_roles
from core.storage.roles import FRONT, WORKER, role_statements

APP = typer.Typer(help=say("help_db"), no_args_is_help=True)
_SQLITE = "sqlite"


class WhichDatabase(InvalidInput):
    """Neither the option ``option`` nor the settings name that database."""

    option: str


@APP.callback()
def db() -> None:
    """Group the commands."""


@APP.command("status", help=say("help_db_status"))
def status(
    *, as_json: Annotated[bool, typer.Option("--json", help=say("help_json"))] = False
) -> None:
    """Print how far the database is.

    Raises:
        Exit: with the status of a broken installation where a service could not use it.
    """
    found = asyncio.run(look_at_database(load_settings()))
    if as_json:
        print_json(_as_json(found))
    else:
        _print_status(found)
    if found.state.pending or not found.state.whole:
        raise typer.Exit(ExitStatus.SETUP)


def _as_json(found: DatabaseLook) -> dict[str, object]:
    state = found.state
    return {
        "dialect": found.dialect,
        "database": found.place,
        "found": state.found,
        "known": state.known,
        "pending": list(state.pending),
        "whole": state.whole,
    }


def _print_status(found: DatabaseLook) -> None:
    state = found.state
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_row(say("db_row_database"), f"{found.dialect}: {found.place}")
    facts = {"found": state.found, "known": state.known}
    table.add_row(say("db_row_schema"), say("db_schema", facts))
    out().print(table)
    if state.pending:
        _print(say("db_pending", {"names": ", ".join(state.pending)}))
    elif not state.whole:
        _print(say("copy_unfinished", {"command": "clapper db copy"}))
    else:
        _print(say("db_current"))


@APP.command("migrate", help=say("help_db_migrate"))
def migrate() -> None:
    """Apply what is missing."""
    applied = asyncio.run(migrate_database(load_settings()))
    _print(say("db_migrated", {"names": ", ".join(applied)}) if applied else say("db_current"))


@APP.command("roles", help=say("help_db_roles"))
def roles(
    *, grant: Annotated[bool, typer.Option("--apply", help=say("help_db_roles_apply"))] = False
) -> None:
    """Print what gives workers and fronts their rights, or apply it.

    Raises:
        WhichDatabase: the rows are in a file, which knows no roles.
    """
    settings = load_settings()
    address = _target("", settings)
    if not grant:
        for statement in role_statements():
            _print(f"{statement};")
        return
    grant_roles(postgres_address(address, insecure=settings.database_insecure))
    _print(say("db_roles_granted", {"worker": WORKER, "front": FRONT}))


@APP.command("copy", help=say("help_db_copy"))
def copy(
    source: Annotated[str, typer.Option("--from", metavar="SQLITE", help=say("help_db_from"))] = "",
    target: Annotated[str, typer.Option("--to", metavar="URL", help=say("help_db_to"))] = "",
) -> None:
    """Copy all rows."""
    settings = load_settings()
    file, server = _source(source, settings), _target(target, settings)
    make_folders(settings)
    console = err()

    def tell(table: str, rows: int) -> None:
        console.print(say("db_copying", {"table": table, "rows": rows}), soft_wrap=True)

    copied = asyncio.run(move_rows(settings, file, server, tell))
    facts = {"total": copied.total, "written": copied.written}
    _print(say("db_copied" if copied.written else "db_copied_before", facts))
    _print(say("db_copy_next", {"folder": readable(settings.data_dir)}))


def _source(typed: str, settings: Settings) -> Path:
    """Find the file to copy: typed, or in use.

    Raises:
        WhichDatabase: neither.
    """
    if typed and "://" not in typed:
        return Path(typed.removeprefix(f"{_SQLITE}:")).expanduser().absolute()
    named = typed or settings.database
    if typed.startswith(f"{_SQLITE}:"):
        named = typed.replace(_SQLITE, f"{_SQLITE}+aiosqlite", 1)
    file = database_file(named)
    if file is None:
        raise WhichDatabase("--from")
    return file.absolute()


def _target(typed: str, settings: Settings) -> str:
    """Find the server to copy to: typed, or in use.

    Raises:
        WhichDatabase: neither.
    """
    found = typed or settings.database
    if not is_postgres(found):
        raise WhichDatabase("--to")
    return found


def _print(sentence: str) -> None:
    out().print(sentence, soft_wrap=True)
