"""What the doctor finds: one line each, with how serious it is and what fixes it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from core.interfaces.platform_check import PlatformCheck


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


def findings_of(checks: Iterable[PlatformCheck]) -> Iterator[DoctorFinding]:
    """Give the lines for ``checks``."""
    for check in checks:
        yield DoctorFinding(check.what, Severity(check.health), check.detail, check.fix)
