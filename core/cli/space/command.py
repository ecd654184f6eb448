"""``clapper space build``: check what was asked for, write the folder, say what comes next."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from core.cli.exit_codes import InvalidInput, out
from core.cli.space.carried_settings import left_behind
from core.cli.space.folder import write_space
from core.cli.space.readme import SpacePage, preload
from core.errors import SetupProblem
from core.i18n.messages import say
from core.models.catalog import ModelFile, Profile, files_for
from core.runtime.paths import readable
from core.settings import Settings, load_settings

APP = typer.Typer(help=say("help_space"), no_args_is_help=True)

PRELOAD_LIMIT = 150_000_000_000  # bytes; above it the platform evicts the image


class SpaceFolderTaken(InvalidInput):
    """The folder for the Space holds something already."""

    path: str


class SpaceTooLarge(SetupProblem):
    """The model files are more than a Space can preload."""

    profile: str
    size_bytes: int
    limit_bytes: int


@APP.callback()
def group() -> None:
    """Group the commands."""


@APP.command("build", help=say("help_space_build"))
def build(
    folder: Annotated[Path, typer.Option("--out", help=say("help_space_out"))],
    title: Annotated[str, typer.Option("--title", help=say("help_space_title"))] = "Clapper",
    space: Annotated[str, typer.Option("--space", help=say("help_space_id"))] = "",
    code: Annotated[str, typer.Option("--code", help=say("help_space_code"))] = "",
) -> None:
    """Write the folder.

    Raises:
        SpaceFolderTaken: it is not empty.
        SpaceTooLarge: the model files do not fit.
    """
    settings = load_settings()
    files = files_for(None, Profile(settings.models.profile))
    size = sum(file.size_bytes for file in files)
    if size > PRELOAD_LIMIT:
        raise SpaceTooLarge(settings.models.profile, size, PRELOAD_LIMIT)
    if os.path.lexists(folder) and not (folder.is_dir() and not any(folder.iterdir())):
        raise SpaceFolderTaken(readable(folder))
    write_space(folder, SpacePage(title, space, code), files, settings)
    _print_next_steps(folder, files, settings)


def _print_next_steps(folder: Path, files: tuple[ModelFile, ...], settings: Settings) -> None:
    table = Table(box=None, padding=(0, 1, 0, 0))
    table.add_column(say("space_row_file"), overflow="fold")
    table.add_column(say("space_row_size"), justify="right")
    for file in files:
        table.add_row(file.name, say("models_size", {"size": file.size_bytes}))
    console = out()
    console.print(table)
    data = {
        "count": len(files),
        "repos": len(preload(files)),
        "size": sum(file.size_bytes for file in files),
        "limit": PRELOAD_LIMIT,
    }
    console.print(say("space_total", data))
    absent = left_behind(settings)
    if absent:
        console.print(say("space_left_behind", {"names": ", ".join(absent)}), soft_wrap=True)
    written = sum(path.is_file() for path in folder.rglob("*"))
    built = say("space_built", {"folder": readable(folder), "files": written})
    console.print(built, soft_wrap=True)
