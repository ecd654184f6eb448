"""``clapper comfy install``: repositories at their pinned commits, and the packages they import.

Everything here may be repeated: what is done already is recognised and left alone, what was
interrupted goes on.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import structlog

from core.comfy.install.archive import unpack
from core.comfy.install.checkout import CheckoutOutcome, check_out
from core.comfy.install.errors import (
    ArchiveOffline,
    CheckoutBroken,
    CommitUnknown,
    GitMissing,
    InstallerMissing,
    PackagesDiskFull,
    PackagesFailed,
    PackagesOffline,
    RepositoryOffline,
    RepositoryRefused,
)
from core.comfy.install.pins import Pin, Pins
from core.comfy.install.room import (
    free_bytes,
    fullest,
    is_full,
    packages_bytes,
    temporary_folder,
)
from core.comfy.paths import ComfyPaths
from core.errors.setup import DownloadFailed
from core.runtime.full_disk import NO_ROOM
from core.settings import PROJECT_ROOT

_log = structlog.get_logger(__name__)

_LIMIT_S = 3600.0
_PIP = "clapper-pip-"  # begins the name of the folder of its temporary files
# another try of git changes nothing
_FOR_GOOD = (GitMissing, RepositoryRefused, CommitUnknown, CheckoutBroken)
_UNREACHABLE = re.compile(r"connection broken by '(.+)': ")  # in what pip says before it gives up


@dataclass(frozen=True, slots=True)
class Step:
    """One repository or package group, for whoever shows the progress."""

    what: str
    outcome: CheckoutOutcome
    commit: str = ""
    path: str = ""  # where edits were kept


StepSink = Callable[[Step], None]


def install(
    pins: Pins,
    place: ComfyPaths,
    on_step: StepSink,
    *,
    packs: bool,
    packages: bool,
    torch_index: str,
    pauses_s: Sequence[float] = (),
) -> None:
    """Bring ComfyUI, and the packs if asked, to their pins.

    Args:
        pins: what to install.
        place: where to.
        on_step: told at the start and the end of every step.
        packs: also the node packs.
        packages: also the Python packages, into the running interpreter.
        torch_index: address of a package index to take torch from; empty for the default one.
        pauses_s: seconds to wait before each further try of a repository that does not answer.

    Raises:
        CheckoutForeign: a target folder holds something else.
        DownloadFailed: no network, no such commit, or the package installer failed.
    """
    _install_repository(pins.comfyui, place.checkout, on_step, pauses_s)
    if packs:
        for pin in pins.packs:
            _install_repository(pin, place.packs / pin.name, on_step, pauses_s)
    if not packages:
        return
    index = ("--extra-index-url", torch_index) if torch_index else ()
    groups = [("torch", (pins.torch, *index)), ("packages", pins.requirements)]
    if packs:
        groups.append(("packages of the packs", pins.pack_requirements))
    for name, requirements in groups:
        on_step(Step(name, CheckoutOutcome.STARTED))
        install_packages(name, requirements)
        on_step(Step(name, CheckoutOutcome.DONE))


def _install_repository(
    pin: Pin, folder: Path, on_step: StepSink, pauses_s: Sequence[float]
) -> None:
    def kept(path: Path) -> None:
        on_step(Step(pin.name, CheckoutOutcome.KEPT, pin.commit, str(path)))

    on_step(Step(pin.name, CheckoutOutcome.STARTED, pin.commit))
    on_step(Step(pin.name, _brought(pin, folder, kept, pauses_s), pin.commit))


def _brought(
    pin: Pin, folder: Path, on_kept: Callable[[Path], None], pauses_s: Sequence[float]
) -> CheckoutOutcome:
    """Bring ``folder`` to its pin by git, or from an archive where git gets nothing.

    Raises:
        DownloadFailed: neither worked; git's reason is told.
    """
    for pause_s in pauses_s:
        try:
            return check_out(pin, folder, on_kept)
        except RepositoryOffline as problem:
            _log.warning("repository_offline", name=pin.name, again_s=pause_s, why=problem.detail)
            time.sleep(pause_s)
        except _FOR_GOOD as problem:
            return _unpacked(pin, folder, problem)
    try:
        return check_out(pin, folder, on_kept)
    except (RepositoryOffline, *_FOR_GOOD) as problem:
        return _unpacked(pin, folder, problem)


def _unpacked(pin: Pin, folder: Path, problem: DownloadFailed) -> CheckoutOutcome:
    """Bring ``folder`` to its pin from an archive.

    Raises:
        problem: of git, where there is no archive, or it is not reached.
        DownloadFailed: what keeps the archive from being laid out.
    """
    if not pin.archive:
        raise problem
    try:
        return unpack(pin, folder)
    except ArchiveOffline as offline:
        _log.warning("archive_offline", name=pin.name, why=offline.detail)
        raise problem from offline


def install_packages(what: str, requirements: Sequence[str], into: Path | None = None) -> None:
    """Let pip install ``requirements``, within our own constraints.

    Its temporary files go also where it is killed.

    Args:
        what: the name of the group, for people.
        requirements: as pip takes them.
        into: a folder for them and for nothing else; None for the running interpreter.

    Raises:
        InstallerMissing: there is no pip.
        PackagesDiskFull: the disk is full.
        PackagesOffline: the index does not answer.
        PackagesFailed: anything else that it says.
    """
    constraints = PROJECT_ROOT / "constraints.txt"
    pinned = ["--constraint", str(constraints)] if constraints.is_file() else []
    aside = [] if into is None else ["--no-deps", "--target", str(into)]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    try:
        with temporary_folder(_PIP) as folder:
            done = subprocess.run(  # noqa: S603  # argument list, no shell; names are from our pins
                [*command, *pinned, *aside, *requirements],
                capture_output=True,
                text=True,
                check=False,
                timeout=_LIMIT_S,
                stdin=subprocess.DEVNULL,  # a question would wait for ever
                env={**os.environ, "TMPDIR": str(folder)},  # noqa: TID251  # handed on to pip
            )
            places = folder, into or Path(sys.prefix)
            if done.returncode and is_full(done.stderr, *places):
                _refuse_full(what, done.stderr, *places)
    except subprocess.TimeoutExpired:
        raise PackagesOffline(what, detail="timeout") from None
    except OSError as error:  # not even the folder of its temporary files can be made
        if error.errno not in NO_ROOM:
            raise PackagesFailed(what, detail=error.strerror or "") from None
        _refuse_full(what, error.strerror or "", Path(tempfile.gettempdir()))
    if done.returncode:
        _refuse(what, done.stderr)


def _refuse_full(what: str, complaint: str, *places: Path) -> NoReturn:
    """Name that of ``places`` which is full.

    Raises:
        PackagesDiskFull: always.
    """
    place = fullest(*places)
    told = place.parent if place.name.startswith(_PIP) else place
    raise PackagesDiskFull(
        what,
        detail=complaint.strip().splitlines()[-1][:300] if complaint.strip() else "",
        path=str(told),
        need_bytes=packages_bytes(what),
        free_bytes=free_bytes(place),
    ) from None


def _refuse(what: str, said: str) -> NoReturn:
    """Classify what pip said before it gave up.

    Raises:
        InstallerMissing: there is no pip.
        PackagesOffline: the index does not answer.
        PackagesFailed: anything else.
    """
    if "No module named pip" in said:
        raise InstallerMissing(what, python=sys.executable)
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    unreachable = _UNREACHABLE.search(said)
    if unreachable:
        raise PackagesOffline(what, detail=unreachable[1].rpartition(": ")[2].strip("'\")>"))
    raise PackagesFailed(what, detail=(lines or [""])[-1][:300])
