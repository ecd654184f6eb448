"""``clapper doctor``: check the installation, and name the fix of each problem."""

import asyncio
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version
from typing import Annotated, TypeAlias

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
from core.cli.exit_codes import ExitStatus, out, print_json
from core.cli.invariants import violations
from core.domain.limits import MEGABYTE
from core.errors import ClapperError
from core.errors.setup import DataDirectoryBusy
from core.i18n.messages import explain, say
from core.settings import Settings, load_settings
from core.storage.trouble import storage_problem

APP = typer.Typer()
Look: TypeAlias = Callable[[Settings], Iterator["DoctorFinding"]]
_OLDEST = (3, 11)
_ENCODERS = ("libx264", "aac")  # what finished clips are made with
_COMFORTABLE_BYTES = 5_000 * MEGABYTE


class Severity(StrEnum):
    """How serious a finding is."""

    GOOD = "good"
    NOTE = "note"  # works, but somebody may want to know
    BAD = "bad"  # does not work


@dataclass(frozen=True, slots=True)
class DoctorFinding:
    """One line of the report; ``fix`` is a sentence or a command, empty where all is well."""

    what: str
    health: Severity
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
    findings = [finding for look in LOOKS for finding in _found(look, settings)]
    if as_json:
        rows = [{"what": f.what, "health": f.health, "detail": f.detail, "fix": f.fix}
                for f in findings]  # fmt: skip
        print_json({"findings": rows})
    else:
        _report(findings)
    if any(finding.health is Severity.BAD for finding in findings):
        raise typer.Exit(ExitStatus.SETUP)


def _report(findings: list[DoctorFinding]) -> None:
    marks = {
        Severity.GOOD: "[green]✓[/green]",
        Severity.NOTE: "[yellow]•[/yellow]",
        Severity.BAD: "[red]✗[/red]",
    }
    table = Table(box=None, show_header=False, pad_edge=False)
    for finding in findings:
        table.add_row(marks[finding.health], finding.what, escape(finding.detail))
        if finding.fix:
            table.add_row("", "", f"[bold]→ {escape(finding.fix)}[/bold]")
    console = out()
    console.print(table)
    bad = sum(finding.health is Severity.BAD for finding in findings)
    console.print(say("doctor_bad", {"count": bad}) if bad else say("doctor_good"))


def _found(look: Look, settings: Settings) -> list[DoctorFinding]:
    """Return the findings of one look; what stops it is one, and the others go on."""
    try:
        return list(look(settings))
    except (ClapperError, OSError) as error:
        problem = storage_problem(error)
        told = (problem.code, explain(problem)) if problem else ("", str(error))
        return [DoctorFinding("", Severity.BAD, *told)]


def _python(_: Settings) -> Iterator[DoctorFinding]:
    good = sys.version_info >= _OLDEST
    yield DoctorFinding(
        "Python",
        Severity.GOOD if good else Severity.BAD,
        f"{platform.python_version()}, Clapper {version('clapper')}",
        "" if good else say("doctor_python_fix"),
    )


def _video(_: Settings) -> Iterator[DoctorFinding]:
    missing = [name for name in _ENCODERS if not _encodes(name)]
    yield DoctorFinding(
        "FFmpeg",
        Severity.BAD if missing else Severity.GOOD,
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


def _fonts(_: Settings) -> Iterator[DoctorFinding]:
    good = bool(features.check("freetype2"))
    yield DoctorFinding(
        say("doctor_fonts"),
        Severity.GOOD if good else Severity.BAD,
        f"FreeType {features.version('freetype2')}"
        if good
        else say("doctor_lacks", {"what": "FreeType"}),
        "" if good else say("doctor_pillow_fix"),
    )


def _disk(settings: Settings) -> Iterator[DoctorFinding]:
    folder = settings.data_dir
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    health = Severity.GOOD if free > _COMFORTABLE_BYTES else Severity.NOTE
    needed = settings.retention.min_free_megabytes * MEGABYTE
    if free < needed:
        health = Severity.BAD
    facts = {"free": free, "path": settings.data_dir, "needed": needed}
    fix = "" if health is Severity.GOOD else say("doctor_disk_fix", facts)
    yield DoctorFinding(say("doctor_disk"), health, say("doctor_disk_free", facts), fix)


def _database(settings: Settings) -> Iterator[DoctorFinding]:
    what = say("doctor_database")
    try:
        found = asyncio.run(violations(settings))
    except DataDirectoryBusy:
        yield DoctorFinding(what, Severity.NOTE, say("doctor_busy"))
        return
    except ClapperError as problem:
        yield DoctorFinding(what, Severity.BAD, problem.code, explain(problem))
        return
    facts = {"count": len(found), "address": settings.database.rsplit("@", 1)[-1]}
    if found:
        yield DoctorFinding(
            what, Severity.BAD, say("doctor_violations", facts), "clapper invariants"
        )
    else:
        yield DoctorFinding(what, Severity.GOOD, say("doctor_database_good", facts))


def _executor(settings: Settings) -> Iterator[DoctorFinding]:
    from core.comfy.install.availability import missing_components

    what = say("doctor_executor")
    gaps = missing_components(settings)
    blocking = [gap for gap in gaps if gap.required or settings.executor == "auto"]
    if settings.executor == "draft":
        yield DoctorFinding(what, Severity.GOOD, say("doctor_draft_chosen"))
        return
    if not blocking:
        yield DoctorFinding(what, Severity.GOOD, say("doctor_comfy"))
    elif settings.executor == "auto":
        yield DoctorFinding(what, Severity.NOTE, say("doctor_draft_auto"))
    else:
        yield DoctorFinding(what, Severity.BAD, say("doctor_comfy_not"))
    for gap in gaps:
        health = Severity.BAD if gap.required and settings.executor == "comfy" else Severity.NOTE
        yield DoctorFinding("", health, say("doctor_lacks", {"what": gap.what}), gap.command)


def _fronts(settings: Settings) -> Iterator[DoctorFinding]:
    told: list[str] = []
    try:
        wanted = asyncio.run(_configured(settings, told.append))
    except ClapperError:  # the database's finding tells it already
        return
    what = say("doctor_fronts")
    if wanted:
        yield DoctorFinding(what, Severity.GOOD, ", ".join(wanted))
    else:
        yield DoctorFinding(what, Severity.NOTE, say("doctor_no_front"), say("doctor_front_fix"))
    for sentence in told:
        yield DoctorFinding("", Severity.NOTE, sentence)


def _platforms(settings: Settings) -> Iterator[DoctorFinding]:
    fronts = [front for front in found_fronts(lambda _: None) if isinstance(front, Examinable)]
    for front in fronts:
        for check in asyncio.run(front.examine(settings)):
            yield DoctorFinding(check.what, Severity(check.health), check.detail, check.fix)


async def _configured(settings: Settings, announce: Callable[[str], None]) -> list[str]:
    async with open_core(settings, DraftExecutor(), announce=announce):
        return [front.name for front in found_fronts(announce) if front.configured(settings)]


LOOKS: tuple[Look, ...] = (
    _python,
    _video,
    _fonts,
    _disk,
    _database,
    _executor,
    _fronts,
    _platforms,
)
