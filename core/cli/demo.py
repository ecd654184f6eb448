"""``clapper demo``: all six modes on this machine, from nothing."""

import asyncio
import shutil
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from core.cli.exits import OutputRefused, Status, err, out
from core.cli.session import announce_to, working_core
from core.demo.inputs import make_wishes
from core.demo.show import Shown, run_show
from core.messages import name, say
from core.settings import Settings, load_settings
from core.storage.lock import LOCK_NAME, lock

APP = typer.Typer()
_OWN = ".data"  # inside the output folder: never the data of a running service


@APP.command("demo", help=say("help_demo"))
def demo(
    folder: Annotated[Path, typer.Option("--out", help=say("help_demo_out"))] = Path("out"),
) -> None:
    """Make six clips.

    Raises:
        OutputRefused: the folder cannot be made.
        Exit: with the status of a failure where a clip is missing.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputRefused(str(folder)) from error
    shown = asyncio.run(_demo(demo_settings(folder), folder))
    console = out()
    console.print(_table(shown, folder))
    if any(item.file is None for item in shown):
        raise typer.Exit(Status.FAILED)


def demo_settings(folder: Path) -> Settings:
    """Return settings for a core of its own in ``folder``, open for six jobs at once."""
    own = folder / _OWN
    return load_settings(
        data_dir=own,
        database_url="",
        quota_minutes=600,
        max_queued=20,
        progress_every_s=0.2,
    )


async def _demo(settings: Settings, folder: Path) -> list[Shown]:
    console = out()
    announce = announce_to(err())
    await asyncio.to_thread(_forget, settings.data_dir)
    with console.status(say("demo_inputs")):
        wishes = await asyncio.to_thread(make_wishes, settings.data_dir / "inputs")
    async with working_core(settings, console, announce) as session:
        shown = await run_show(session, wishes, folder)
    return shown


def _forget(own: Path) -> None:
    """Empty the demo's data directory, unless another demo works in it.

    Raises:
        DataDirectoryBusy: one does.
    """
    with lock(own):
        for path in own.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != LOCK_NAME:
                path.unlink()


def _table(shown: list[Shown], folder: Path) -> Table:
    """Return one line for every clip, at most 80 columns wide."""
    title = Text(f"{say('demo_title')}: {_short(folder)}")
    table = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for column in ("mode", "seconds", "size", "frames", "job", "file"):
        table.add_column(say(f"cli_column_{column}"), overflow="fold", no_wrap=column == "job")
    for item in shown:
        sampling = item.job.request.sampling
        table.add_row(
            item.job.request.mode,
            f"{sampling.seconds:.2f}",
            str(sampling.size),
            str(sampling.frames),
            item.job.id,
            item.file.name if item.file else name(item.job.state),
        )
    return table


def _short(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
