"""``clapper models``: list, fetch, verify and remove model files."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.progress import (
    BarColumn,
    DownloadColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as Bars
from rich.table import Table

from core.cli.exit_codes import ExitStatus, explained_exit
from core.cli.questions import confirmed
from core.cli.terminal import PlainConsole, literally, out
from core.domain.modes import Mode
from core.domain.presets import Control
from core.domain.progress import Downloading, Progress
from core.i18n.messages import name, say
from core.models.catalog import FAMILY, ModelFile, Profile
from core.models.prune import Garbage, discard, garbage
from core.models.setup import open_store
from core.models.store import ModelStore
from core.models.verification import FileState, Verdict, remove_model_file, state_of, verify_file
from core.runtime.cancellation import CancelToken
from core.runtime.clock import now_ms
from core.runtime.paths import readable
from core.settings import load_settings
from core.storage.claim import claim

APP = typer.Typer(help=say("help_models"), no_args_is_help=True)

ProfileOption = Annotated[Profile | None, typer.Option(help=say("help_models_profile"))]
ModeOption = Annotated[Mode | None, typer.Option(help=say("help_models_mode"))]

_DAMAGED = {Verdict.MALFORMED, Verdict.ALTERED}


@APP.command("status", help=say("help_models_status"))
def status(profile: ProfileOption = None, mode: ModeOption = None) -> None:
    """Print a table of the profile's files."""
    console = out()
    with explained_exit():
        store, chosen = _open(profile)
        states = [state_of(store, file) for file in FAMILY.files_for(mode, chosen)]
        console.print(_table(states, chosen))
        console.print(_verdict(states, chosen), soft_wrap=True)


@APP.command("pull", help=say("help_models_pull"))
def pull(
    profile: ProfileOption = None,
    mode: ModeOption = None,
    *,
    accept_licences: Annotated[
        bool, typer.Option("--accept-licences", help=say("help_models_accept"))
    ] = False,
    doubling: Annotated[bool, typer.Option("--doubling", help=say("help_models_doubling"))] = False,
    control: Annotated[
        Control | None, typer.Option("--control", help=say("help_models_control"))
    ] = None,
) -> None:
    """Fetch what is missing, with a bar a file; stopping keeps the bytes."""
    console = out()
    with explained_exit():
        store, chosen = _open(profile, changes=True)
        files = FAMILY.files_for(mode, chosen, doubled=doubling, control=control)
        _agree(console, store, files, accepted=accept_licences)
        with _bars(console) as bars:
            asyncio.run(store.ensure(files, _Meter(bars), CancelToken()))
        console.print(say("models_ready", {"count": len(files), "profile": chosen}))


@APP.command("verify", help=say("help_models_verify"))
def verify(
    profile: ProfileOption = None,
    *,
    remove_damaged: Annotated[
        bool, typer.Option("--remove-damaged", help=say("help_models_remove"))
    ] = False,
) -> None:
    """Read every file that is here and hold it against what was published.

    Raises:
        Exit: with the status of a broken installation where a file is damaged.
    """
    console = out()
    damaged = 0
    with explained_exit():
        store, chosen = _open(profile)
        for file in FAMILY.files_for(None, chosen):
            with console.status(literally(file.name)):
                verdict = verify_file(store, file)
            console.print(f"{file.name}: {name(f'model_{verdict}')}", soft_wrap=True)
            if verdict not in _DAMAGED:
                continue
            damaged += 1
            removed = remove_damaged and remove_model_file(store, file)
            console.print(_repair(store, file, chosen, removed=removed), soft_wrap=True)
    raise typer.Exit(ExitStatus.SETUP if damaged else ExitStatus.DONE)


@APP.command("prune", help=say("help_models_prune"))
def prune(
    profile: ProfileOption = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help=say("help_models_yes"))] = False,
) -> None:
    """Remove what no profile, or only another profile than the one given, needs."""
    console = out()
    with explained_exit():
        store, _ = _open(profile, changes=True)
        keep = FAMILY.profiles[profile].files.values() if profile else FAMILY.all_files()
        items = garbage(store, keep)
        if not items:
            console.print(say("models_nothing_to_prune"))
            return
        console.print(_garbage_table(items))
        if yes or confirmed(say("models_prune_question")):
            console.print(say("models_pruned", {"freed": discard(items)}))


def _repair(store: ModelStore, file: ModelFile, profile: Profile, *, removed: bool) -> str:
    """Choose what to do about a damaged ``file``; only what lies in the hub cache is ours."""
    found = store.locate(file)
    if removed or found is None:
        return say("models_removed", {"file": file.name, "profile": profile})
    return say(f"models_damaged_{found.where}", {"path": readable(found.path), "profile": profile})


def _open(profile: Profile | None, *, changes: bool = False) -> tuple[ModelStore, Profile]:
    settings = load_settings()
    if changes:
        claim(settings.data_dir)  # terms that were accepted, and links, are kept in it
    return open_store(settings, now_ms, FAMILY), profile or Profile(settings.models.profile)


def _agree(
    console: PlainConsole, store: ModelStore, files: Sequence[ModelFile], *, accepted: bool
) -> None:
    """Show the terms of what is about to be fetched, once, and remember the answer."""
    open_ones = store.acceptance.missing(store.missing(files))
    for licence in open_ones:
        facts = {"name": licence.name, "version": licence.version, "url": licence.url}
        console.print(say("licence_head", facts), style="bold", soft_wrap=True)
        console.print(say(f"licence_{licence.key}"), soft_wrap=True)
    asks = bool(open_ones) and not accepted and console.is_terminal
    if accepted or (asks and confirmed(say("licence_question"))):
        store.acceptance.accept(open_ones)


def _table(states: Sequence[FileState], profile: Profile) -> Table:
    table = Table(title=say("models_title", {"family": FAMILY.name, "profile": profile}))
    for column in ("file", "size", "where", "licence"):
        table.add_column(say(f"models_column_{column}"), overflow="fold")
    for state in states:
        size = say("models_size", {"size": state.file.size_bytes})
        table.add_row(state.file.name, size, _where(state), state.file.licence.name)
    return table


def _where(state: FileState) -> str:
    if state.where is None and state.kept_bytes:
        return say("models_partly", {"done": state.kept_bytes})
    if state.where is None:
        return name("model_absent")
    where = name(f"model_{state.where}")
    return where if state.linked else say("models_unlinked", {"where": where})


def _verdict(states: Sequence[FileState], profile: Profile) -> str:
    missing = sum(
        state.file.size_bytes - state.kept_bytes for state in states if state.where is None
    )
    if not missing:
        return say("models_complete")
    return say("models_to_fetch", {"size": missing, "profile": profile})


def _garbage_table(items: Sequence[Garbage]) -> Table:
    table = Table()
    for column in ("file", "size", "why"):
        table.add_column(say(f"models_column_{column}"), overflow="fold")
    for item in items:
        size = say("models_size", {"size": item.size_bytes})
        table.add_row(readable(item.path), size, name(f"model_{item.kind}"))
    return table


def _bars(console: PlainConsole) -> Bars:
    return Bars(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=console,
    )


class _Meter:
    """Turns progress events into bars."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._rows: dict[str, TaskID] = {}

    def __call__(self, event: Progress) -> None:
        if not isinstance(event, Downloading):
            return
        if event.file not in self._rows:
            self._rows[event.file] = self._bars.add_task(event.file, total=event.total_bytes)
        self._bars.update(self._rows[event.file], completed=event.done_bytes)
