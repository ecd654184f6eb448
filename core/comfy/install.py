"""``clapper comfy install``: repositories at their pinned commits, and the packages they import.

Everything here may be repeated: what is done already is recognised and left alone, what was
interrupted goes on. Only folders that this module made are ever changed.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import structlog

from core.comfy.pins import Pin, Pins
from core.comfy.place import Place
from core.problems import CheckoutForeign, DownloadFailed
from core.settings import PROJECT_ROOT

_log = structlog.get_logger(__name__)
_MARK = "clapper-made"  # a file inside .git: this module owns the folder
_FETCH_LIMIT_S = 1800.0
_INSTALL_LIMIT_S = 3600.0


class Outcome(StrEnum):
    """What became of one step."""

    STARTED = "started"
    DONE = "done"
    ALREADY = "already"


@dataclass(frozen=True, slots=True)
class Step:
    """One repository or package group, for whoever shows the progress."""

    what: str
    outcome: Outcome
    commit: str = ""


StepSink = Callable[[Step], None]


def install(
    pins: Pins, place: Place, on_step: StepSink, *, packs: bool, packages: bool, torch_index: str
) -> None:
    """Bring ComfyUI, and the packs if asked, to their pins.

    Args:
        pins: what to install.
        place: where to.
        on_step: told at the start and the end of every step.
        packs: also the node packs.
        packages: also the Python packages, into the running interpreter.
        torch_index: address of a package index to take torch from; empty for the default one.

    Raises:
        CheckoutForeign: a target folder holds something else.
        DownloadFailed: no network, no such commit, or the package installer failed.
    """
    wanted = [(pins.comfyui, place.checkout)]
    if packs:
        wanted += [(pin, place.packs / pin.name) for pin in pins.packs]
    for pin, folder in wanted:
        on_step(Step(pin.name, Outcome.STARTED, pin.commit))
        on_step(Step(pin.name, check_out(pin, folder), pin.commit))
    if not packages:
        return
    index = ("--extra-index-url", torch_index) if torch_index else ()
    groups = [("torch", (pins.torch, *index)), ("packages", pins.requirements)]
    if packs:
        groups.append(("packages of the packs", pins.pack_requirements))
    for name, requirements in groups:
        on_step(Step(name, Outcome.STARTED))
        _pip(name, requirements)
        on_step(Step(name, Outcome.DONE))


def check_out(pin: Pin, folder: Path) -> Outcome:
    """Bring ``folder`` to the commit of ``pin``: init, fetch of the commit, checkout.

    Never a branch or a tag: those can move. Objects of an interrupted fetch are used again.

    Raises:
        CheckoutForeign: the folder is not ours.
        DownloadFailed: the commit could not be fetched, or another one came.
    """
    if folder.is_dir() and any(folder.iterdir()) and not (folder / ".git" / _MARK).is_file():
        raise CheckoutForeign(str(folder))
    if head_of(folder) == pin.commit and not _git(pin, folder, "status", "--porcelain", "-uno"):
        return Outcome.ALREADY
    folder.mkdir(parents=True, exist_ok=True)
    _git(pin, folder, "init", "--quiet", "--initial-branch", "pinned")
    (folder / ".git" / _MARK).touch()
    for lock in (folder / ".git").glob("*.lock"):  # left by a run that was killed
        lock.unlink()
    # The address is given here and not stored: nothing can pull from it by accident.
    _git(pin, folder, "fetch", "--quiet", "--no-tags", "--depth=1", pin.repository, pin.commit)
    _git(pin, folder, "checkout", "--quiet", "--force", "--detach", pin.commit)
    found = head_of(folder)
    if found != pin.commit:
        raise DownloadFailed(pin.name, "wrong_commit", found or "")
    _log.info("checked_out", name=pin.name, commit=pin.commit)
    return Outcome.DONE


def head_of(folder: Path) -> str | None:
    """Return the commit that ``folder`` is at; None where it is no checkout of its own."""
    if not (folder / ".git").exists() or shutil.which("git") is None:
        return None
    done = _run(["git", "-C", str(folder), "rev-parse", "HEAD"], timeout_s=30)
    return done.stdout.strip() if done.returncode == 0 else None


def _git(pin: Pin, folder: Path, *arguments: str) -> str:
    if shutil.which("git") is None:
        raise DownloadFailed(pin.name, "git_missing")
    try:
        done = _run(["git", "-C", str(folder), *arguments], timeout_s=_FETCH_LIMIT_S)
    except subprocess.TimeoutExpired:
        raise DownloadFailed(pin.name, "timeout") from None
    if done.returncode:
        raise DownloadFailed(pin.name, _reason(done.stderr), _last_line(done.stderr))
    return done.stdout


def _reason(complaint: str) -> str:
    """Return the short code for what git complained about."""
    text = complaint.lower()
    if any(word in text for word in ("not our ref", "remote ref", "unadvertised object")):
        return "unknown_commit"
    offline = ("resolve host", "unable to access", "could not read from remote", "connection",
               "does not appear to be a git", "does not exist", "timed out")  # fmt: skip
    return "offline" if any(word in text for word in offline) else "git_failed"


def _pip(what: str, requirements: Sequence[str]) -> None:
    constraints = PROJECT_ROOT / "constraints.txt"
    pinned = ["--constraint", str(constraints)] if constraints.is_file() else []
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    try:
        done = _run([*command, *pinned, *requirements], timeout_s=_INSTALL_LIMIT_S)
    except subprocess.TimeoutExpired:
        raise DownloadFailed(what, "timeout") from None
    if done.returncode:
        raise DownloadFailed(what, "pip_failed", _last_line(done.stderr))


def _run(command: list[str], timeout_s: float) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603  # argument list, no shell; programs and pins are ours
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_s,
        stdin=subprocess.DEVNULL,  # a password prompt would wait for ever
    )


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""
