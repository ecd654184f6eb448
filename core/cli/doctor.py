"""``clapper doctor``: check the installation, and name the fix of each problem."""

import asyncio
import logging
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Annotated

import av
import typer
from av.codec import Codec
from PIL import features
from rich.text import Text

from core import __version__
from core.cli.doctor_bucket import look_at_bucket
from core.cli.doctor_card import look_at_card
from core.cli.doctor_credentials import look_at_credentials
from core.cli.doctor_files import look_at_files
from core.cli.doctor_gate import look_at_gate
from core.cli.doctor_packages import look_at_packages
from core.cli.doctor_service import (
    look_at_data,
    look_at_fronts,
    look_at_intake,
    look_at_platforms,
    look_at_ports,
    look_at_settings,
    look_at_workflows,
)
from core.cli.exit_codes import ExitStatus, out, print_json
from core.cli.findings import DoctorFinding, Severity
from core.cli.invariants import violations
from core.cli.terminal import literally
from core.domain.limits import MEGABYTE
from core.errors import ClapperError
from core.errors.setup import BadSettings, DataDirectoryBusy
from core.i18n.messages import explain, say, say_each
from core.models.catalog import FAMILY
from core.settings import Settings, load_settings
from core.storage.trouble import storage_problem

APP = typer.Typer()
log = logging.getLogger(__name__)  # silent until the root of commands sets it up
_OLDEST = (3, 11)
_ENCODERS = ("libx264", "aac")  # what finished clips are made with
_COMFORTABLE_BYTES = 5_000 * MEGABYTE


@APP.command("doctor", help=say("help_doctor"))
def doctor(
    *, as_json: Annotated[bool, typer.Option("--json", help=say("help_json"))] = False
) -> None:
    """Look at everything that a service needs.

    Raises:
        Exit: with the status of a broken installation where something is bad.
    """
    try:
        settings = load_settings()
    except BadSettings as problem:
        findings = [*_python(None), *_refused(problem)]
    else:
        findings = list(_found(settings))
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
        Severity.GOOD: Text("✓", "green"),
        Severity.NOTE: Text("•", "yellow"),
        Severity.BAD: Text("✗", "red"),
    }
    console = out()
    width = max((len(finding.what) for finding in findings), default=0)
    for finding in findings:  # no table: a link or a command that is cut is of no use
        what = literally(f" {finding.what:<{width}} ")
        detail = literally(finding.detail)
        console.print(Text.assemble(marks[finding.health], what, " ", detail), soft_wrap=True)
        if finding.fix:
            gap = " " * (width + 4)
            console.print(literally(f"{gap}→ {finding.fix}", "bold"), soft_wrap=True)
    bad = sum(finding.health is Severity.BAD for finding in findings)
    console.print(say("doctor_bad", {"count": bad}) if bad else say("doctor_good"))


def _python(_: Settings | None) -> Iterator[DoctorFinding]:
    good = sys.version_info >= _OLDEST
    yield DoctorFinding(
        "Python",
        Severity.GOOD if good else Severity.BAD,
        f"{platform.python_version()}, Clapper {__version__}",
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
        yield DoctorFinding(what, Severity.BAD, explain(problem))
        return
    if found:
        detail = say("doctor_violations", {"count": len(found)})
        yield DoctorFinding(what, Severity.BAD, detail, "clapper invariants")
    else:
        yield DoctorFinding(what, Severity.GOOD, say("doctor_database_good"))


def _executor(settings: Settings) -> Iterator[DoctorFinding]:
    from core.comfy.install.availability import missing_components

    what = say("doctor_executor")
    gaps = missing_components(settings)
    blocking = [gap for gap in gaps if gap.required or settings.executor == "auto"]
    if settings.executor == "draft":
        yield DoctorFinding(what, Severity.GOOD, say("doctor_draft_chosen"))
        return
    if not blocking:
        yield DoctorFinding(what, Severity.GOOD, say("doctor_comfy", {"family": FAMILY.name}))
        yield from _fast(settings)
    elif settings.executor == "auto":
        yield DoctorFinding(what, Severity.NOTE, say("doctor_draft_auto"))
    else:
        yield DoctorFinding(what, Severity.BAD, say("doctor_comfy_not"))
    for gap in gaps:
        health = Severity.BAD if gap.required and settings.executor == "comfy" else Severity.NOTE
        yield DoctorFinding("", health, say("doctor_lacks", {"what": gap.what}), gap.command)


def _fast(settings: Settings) -> Iterator[DoctorFinding]:
    from core.comfy.acceleration.fast_blocks import can_compile

    if settings.comfy.fast:
        good = can_compile() and settings.comfy.accelerate
        yield DoctorFinding(
            "CLAPPER_FAST",
            Severity.NOTE,
            say("doctor_fast" if good else "doctor_fast_not"),
            say("doctor_fast_fix") if good else say("doctor_fast_not_fix"),
        )


class _Look(AbstractContextManager[None]):
    """A look that breaks is a finding, and the others go on."""

    def __init__(self) -> None:
        self.broke: list[DoctorFinding] = []

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        del kind, trace
        problem = storage_problem(error) if isinstance(error, Exception) else None
        if problem is not None:
            self.broke.append(DoctorFinding("", Severity.BAD, explain(problem)))
        elif isinstance(error, Exception):
            log.debug("look_broke", exc_info=error)
            sentence = say("doctor_check_broke", {"kind": type(error).__name__})
            fix = say("doctor_check_broke_fix")
            self.broke.append(DoctorFinding("", Severity.BAD, sentence, fix))
        return bool(self.broke)


def _found(settings: Settings) -> Iterator[DoctorFinding]:
    """Look at everything."""
    told: set[str] = set()
    for look in LOOKS:
        done = _Look()
        with done:
            for finding in list(look(settings)):
                told.add(finding.detail)
                yield finding
        yield from (finding for finding in done.broke if finding.detail not in told)
        told |= {finding.detail for finding in done.broke}


def _refused(problem: BadSettings) -> Iterator[DoctorFinding]:
    """Tell why the settings cannot be used: nothing that depends on them can be looked at."""
    for sentence in say_each(problem.reason):
        yield DoctorFinding(say("doctor_settings"), Severity.BAD, sentence)


LOOKS: tuple[Callable[[Settings], Iterator[DoctorFinding]], ...] = (
    _python,
    look_at_packages,
    _video,
    _fonts,
    look_at_files,
    look_at_settings,
    _disk,
    look_at_data,
    _database,
    look_at_bucket,
    look_at_gate,
    look_at_credentials,
    look_at_ports,
    look_at_intake,
    _executor,
    look_at_card,
    look_at_workflows,
    look_at_fronts,
    look_at_platforms,
)
