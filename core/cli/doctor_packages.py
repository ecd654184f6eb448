"""The doctor's look at libraries: are they the versions that Clapper was tested with?"""

from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version

from core.cli.findings import DoctorFinding, Severity
from core.i18n.messages import say
from core.runtime.program_files import IS_INSTALLED, PROJECT_ROOT
from core.settings import Settings

_NAMED = 5  # in a sentence; the rest is counted


def look_at_packages(_: Settings) -> Iterator[DoctorFinding]:
    """Compare what is installed with what was tested."""
    lines = (PROJECT_ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pinned = (line.partition("#")[0].strip().partition("==") for line in lines)
    yield from package_findings({name: wanted for name, _, wanted in pinned if name})


def package_findings(tested: Mapping[str, str]) -> Iterator[DoctorFinding]:
    """Tell which installed packages have another version than ``tested``."""
    others = [
        f"{name} {found} ({wanted})"
        for name, wanted in tested.items()
        if (found := _installed(name)) not in {None, wanted}
    ]
    if not others:
        yield DoctorFinding(say("doctor_packages"), Severity.GOOD, say("doctor_packages_good"))
        return
    facts = {"count": len(others), "some": ", ".join(others[:_NAMED])}
    fix = (
        say("doctor_packages_fix_installed") if IS_INSTALLED else "rm .venv/.app && make .venv/.app"
    )
    detail = say("doctor_packages_others", facts)
    yield DoctorFinding(say("doctor_packages"), Severity.NOTE, detail, fix)


def _installed(name: str) -> str | None:
    """Return the version of a package without what its builder added: ``+cpu`` and the like."""
    try:
        return version(name).partition("+")[0]
    except PackageNotFoundError:
        return None
