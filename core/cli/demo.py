"""``clapper demo``: every mode on this machine, from nothing."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from core.cli.core_session import announce_to, working_core
from core.cli.exit_codes import ExitStatus, InvalidInput, OutputRefused, err, out
from core.demo.inputs import make_demo_jobs
from core.demo.run import DemoResult, output_files, run_demo
from core.domain.modes import MODES
from core.i18n.messages import name, say
from core.media.output.destinations import check_free
from core.runtime.paths import readable
from core.runtime.permissions import make_folder_for_people, make_private_folder
from core.settings import Settings, load_settings
from core.storage.claim import is_marked, put_mark, remove_data
from core.storage.lock import LOCK_NAME, lock

APP = typer.Typer()
_OWN = ".data"  # inside the output folder: never the data of a running service
_MARK = "made by the demo, which empties it at every start"


class DemoFolderForeign(InvalidInput):
    """The demo's data directory, which it empties, was not made by a demo."""

    path: str


@APP.command("demo", help=say("help_demo"))
def demo(
    folder: Annotated[Path, typer.Option("--out", help=say("help_demo_out"))] = Path("out"),
    *,
    force: Annotated[bool, typer.Option("--force", help=say("help_force"))] = False,
) -> None:
    """Make a clip of every mode.

    Raises:
        OutputRefused: the folder cannot be made.
        OutputTaken: files lie there that no demo made.
        Exit: with the status of a failure where a clip is missing.
    """
    try:
        make_folder_for_people(folder)
    except OSError as error:
        raise OutputRefused(readable(folder)) from error
    check_free(output_files(folder), f"--out {readable(_free_folder(folder))}", force=force)
    shown = asyncio.run(_demo(demo_settings(folder), folder, force=force))
    console = out()
    console.print(_table(shown, folder))
    for item in shown:
        if item.file is None and item.job.clip is not None:
            kept = {"mode": item.job.request.mode, "path": readable(item.job.clip.path)}
            err().print(say("demo_kept", kept), soft_wrap=True)
    if any(item.file is None for item in shown):
        raise typer.Exit(ExitStatus.FAILED)


def demo_settings(folder: Path) -> Settings:
    """Make settings for a core of its own in ``folder``, open for all jobs at once."""
    own = folder / _OWN
    return load_settings(
        data_dir=own,
        database_url="",
        quota_minutes=600,
        max_queued=max(20, len(MODES)),
        progress_every_s=0.2,
    )


async def _demo(settings: Settings, folder: Path, *, force: bool) -> list[DemoResult]:
    console = out()
    announce = announce_to(err())
    await asyncio.to_thread(_empty_data_directory, settings.data_dir)
    with console.status(say("demo_inputs")):
        demo_jobs = await asyncio.to_thread(make_demo_jobs, settings.data_dir / "inputs")
    async with working_core(settings, console, announce) as session:
        shown = await run_demo(session, demo_jobs, folder, force=force)
    return shown


def _free_folder(folder: Path) -> Path:
    """Find a folder beside ``folder`` that is not there yet."""
    number = 2
    while (found := folder.with_name(f"{folder.name}-{number}")).exists():
        number += 1
    return found


def _empty_data_directory(own: Path) -> None:
    """Empty the demo's data directory, unless another demo works in it.

    Raises:
        DemoFolderForeign: it was not made by a demo.
        DataDirectoryBusy: one does.
    """
    if not own.exists():
        make_private_folder(own)
        put_mark(own, _MARK)
    before_marks = (own / "inputs" / "dusk.png").is_file() and (own / LOCK_NAME).is_file()
    if not is_marked(own, _MARK) and not before_marks:
        raise DemoFolderForeign(readable(own))
    with lock(own):
        put_mark(own, _MARK)
        remove_data(own)


def _table(shown: list[DemoResult], folder: Path) -> Table:
    """Lay out one line for every clip, at most 80 columns wide."""
    title = Text(f"{say('demo_title', {'count': len(MODES)})}: {_short(folder)}")
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
