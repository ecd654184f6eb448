"""``clapper doctor``: what is well and what is not, each with what fixes it."""

import asyncio
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version
from typing import Annotated

import av
import typer
from av.codec import Codec
from PIL import features
from rich.markup import escape
from rich.table import Table

from core.animatic import DraftExecutor
from core.app.bootstrap import open_core
from core.app.frontend import Examinable
from core.app.serve import found_fronts
from core.cli.exit_codes import Status, out, print_json
from core.cli.invariants import violations
from core.domain.limits import MEGABYTE
from core.errors import ClapperError
from core.errors.setup import DataDirectoryBusy
from core.i18n.messages import explain, say
from core.settings import Settings, load_settings

APP = typer.Typer()
_OLDEST = (3, 11)
_ENCODERS = ("libx264", "aac")  # what finished clips are made with
_COMFORTABLE_BYTES = 5_000 * MEGABYTE


class Health(StrEnum):
    """How serious a finding is."""

    GOOD = "good"
    NOTE = "note"  # works, but somebody may want to know
    BAD = "bad"  # does not work


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; ``fix`` is a sentence or a command, empty where all is well."""

    what: str
    health: Health
    detail: str
    fix: str = ""


@APP.command("doctor", help=say("help_doctor"))
def doctor(
    *, as_json: Annotated[bool, typer.Option("--json", help=say("help_json"))] = False
) -> None:
    """Look at everything that a service needs.

    Raises:
        Exit: with the status of a broken installation where something is bad.
    """
    settings = load_settings()
    findings = [finding for look in LOOKS for finding in look(settings)]
    if as_json:
        rows = [{"what": f.what, "health": f.health, "detail": f.detail, "fix": f.fix}
                for f in findings]  # fmt: skip
        print_json({"findings": rows})
    else:
        _report(findings)
    if any(finding.health is Health.BAD for finding in findings):
        raise typer.Exit(Status.SETUP)


def _report(findings: list[Finding]) -> None:
    marks = {
        Health.GOOD: "[green]✓[/green]",
        Health.NOTE: "[yellow]•[/yellow]",
        Health.BAD: "[red]✗[/red]",
    }
    table = Table(box=None, show_header=False, pad_edge=False)
    for finding in findings:
        table.add_row(marks[finding.health], finding.what, escape(finding.detail))
        if finding.fix:
            table.add_row("", "", f"[bold]→ {escape(finding.fix)}[/bold]")
    console = out()
    console.print(table)
    bad = sum(finding.health is Health.BAD for finding in findings)
    console.print(say("doctor_bad", {"count": bad}) if bad else say("doctor_good"))


def _python(_: Settings) -> Iterator[Finding]:
    good = sys.version_info >= _OLDEST
    yield Finding(
        "Python",
        Health.GOOD if good else Health.BAD,
        f"{platform.python_version()}, Clapper {version('clapper')}",
        "" if good else say("doctor_python_fix"),
    )


def _video(_: Settings) -> Iterator[Finding]:
    missing = [name for name in _ENCODERS if not _encodes(name)]
    yield Finding(
        "FFmpeg",
        Health.BAD if missing else Health.GOOD,
        say("doctor_lacks", {"what": ", ".join(missing)})
        if missing
        else f"PyAV {av.__version__}, {av.ffmpeg_version_info}",
        say("doctor_pyav_fix") if missing else "",
    )


def _encodes(name: str) -> bool:
    try:
        return Codec(name, "w").is_encoder
    except ValueError:  # what PyAV raises for an unknown codec is one
        return False


def _fonts(_: Settings) -> Iterator[Finding]:
    good = bool(features.check("freetype2"))
    yield Finding(
        say("doctor_fonts"),
        Health.GOOD if good else Health.BAD,
        f"FreeType {features.version('freetype2')}"
        if good
        else say("doctor_lacks", {"what": "FreeType"}),
        "" if good else say("doctor_pillow_fix"),
    )


def _disk(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    health = Health.GOOD if free > _COMFORTABLE_BYTES else Health.NOTE
    needed = settings.retention.min_free_megabytes * MEGABYTE
    if free < needed:
        health = Health.BAD
    facts = {"free": free, "path": settings.data_dir, "needed": needed}
    fix = "" if health is Health.GOOD else say("doctor_disk_fix", facts)
    yield Finding(say("doctor_disk"), health, say("doctor_disk_free", facts), fix)


def _database(settings: Settings) -> Iterator[Finding]:
    what = say("doctor_database")
    try:
        found = asyncio.run(violations(settings))
    except DataDirectoryBusy:
        yield Finding(what, Health.NOTE, say("doctor_busy"))
        return
    except ClapperError as problem:
        yield Finding(what, Health.BAD, problem.code, explain(problem))
        return
    facts = {"count": len(found), "address": settings.database.rsplit("@", 1)[-1]}
    if found:
        yield Finding(what, Health.BAD, say("doctor_violations", facts), "clapper invariants")
    else:
        yield Finding(what, Health.GOOD, say("doctor_database_good", facts))


def _executor(settings: Settings) -> Iterator[Finding]:
    from core.comfy.install.availability import missing

    what = say("doctor_executor")
    gaps = missing(settings)
    blocking = [gap for gap in gaps if gap.required or settings.executor == "auto"]
    if settings.executor == "draft":
        yield Finding(what, Health.GOOD, say("doctor_draft_chosen"))
        return
    if not blocking:
        yield Finding(what, Health.GOOD, say("doctor_comfy"))
    elif settings.executor == "auto":
        yield Finding(what, Health.NOTE, say("doctor_draft_auto"))
    else:
        yield Finding(what, Health.BAD, say("doctor_comfy_not"))
    for gap in gaps:
        health = Health.BAD if gap.required and settings.executor == "comfy" else Health.NOTE
        yield Finding("", health, say("doctor_lacks", {"what": gap.what}), gap.command)


def _fronts(settings: Settings) -> Iterator[Finding]:
    told: list[str] = []
    try:
        wanted = asyncio.run(_configured(settings, told.append))
    except ClapperError:  # the database's finding tells it already
        return
    what = say("doctor_fronts")
    if wanted:
        yield Finding(what, Health.GOOD, ", ".join(wanted))
    else:
        yield Finding(what, Health.NOTE, say("doctor_no_front"), say("doctor_front_fix"))
    for sentence in told:
        yield Finding("", Health.NOTE, sentence)


def _platforms(settings: Settings) -> Iterator[Finding]:
    fronts = [front for front in found_fronts(lambda _: None) if isinstance(front, Examinable)]
    for front in fronts:
        for check in asyncio.run(front.examine(settings)):
            yield Finding(check.what, Health(check.health), check.detail, check.fix)


async def _configured(settings: Settings, announce: Callable[[str], None]) -> list[str]:
    async with open_core(settings, DraftExecutor(), announce=announce):
        return [front.name for front in found_fronts(announce) if front.configured(settings)]


LOOKS: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
    _python,
    _video,
    _fonts,
    _disk,
    _database,
    _executor,
    _fronts,
    _platforms,
)
