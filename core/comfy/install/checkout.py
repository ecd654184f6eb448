"""Check out one repository at one commit into a folder, whatever state the folder is in.

Everything here may be repeated and killed at any point. Only folders that this module made are ever
changed, and what somebody edited in one is kept beside it before it is undone.
"""

import errno
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog
from filelock import lock_descriptor

from core.comfy.install.errors import (
    CheckoutBroken,
    CheckoutDiskFull,
    CheckoutUnwritable,
    CommitUnknown,
    GitMissing,
    RepositoryOffline,
    RepositoryRefused,
)
from core.comfy.install.pins import Pin
from core.errors.setup import CheckoutForeign, DownloadFailed
from core.runtime.atomic_files import write_atomically
from core.runtime.git import run_git

_log = structlog.get_logger(__name__)
_MARK = "clapper-made"  # a file inside .git: this module owns the folder, and its lock
_LIMIT_S = 1800.0
_SPARE_BYTES = 64 * 1024**2  # where less is free, a failed write means a full disk: git may not say
# A line that stalls is given up long before the limit; hooks of the user's other work stay away.
_OPTIONS = ("http.lowSpeedLimit=1000", "http.lowSpeedTime=60", f"core.hooksPath={os.devnull}",
            "core.autocrlf=false")  # fmt: skip


class CheckoutOutcome(StrEnum):
    """What became of one step."""

    STARTED = "started"
    DONE = "done"
    ALREADY = "already"
    KEPT = "kept"  # edits were undone, and lie in a file


@dataclass(frozen=True, slots=True)
class Head:
    """What lies in a folder: its commit, and how many files of it were changed or are missing."""

    commit: str
    changed: int


def check_out(
    pin: Pin, folder: Path, on_kept: Callable[[Path], None] = lambda _: None
) -> CheckoutOutcome:
    """Bring ``folder`` to the commit of ``pin``: init, fetch of the commit, checkout.

    Never a branch or a tag: those can move. Objects of an interrupted fetch are used again, and
    nothing is fetched that is there. A second run beside this one waits for it.

    Args:
        pin: what is wanted.
        folder: where; made if it is not there.
        on_kept: told where edits were kept, if there were any.

    Raises:
        CheckoutForeign: the folder is not ours.
        DownloadFailed: the commit could not be fetched, or not be laid out.
    """
    if folder.is_dir() and any(folder.iterdir()) and not (folder / ".git" / _MARK).is_file():
        raise CheckoutForeign(str(folder))
    with _owned(pin, folder):
        found = head_of(folder)
        if found == Head(pin.commit, changed=0):
            return CheckoutOutcome.ALREADY
        kept = _keep_edits(pin, folder) if found and found.changed else None
        _bring_or_repair(pin, folder)
    if kept is not None:
        on_kept(kept)
    _log.info("checked_out", name=pin.name, commit=pin.commit)
    return CheckoutOutcome.DONE


def head_of(folder: Path) -> Head | None:
    """Read what ``folder`` holds; None where it is not a sound checkout of its own."""
    if not (folder / ".git").exists() or shutil.which("git") is None:
        return None
    commit = _run(folder, "rev-parse", "--verify", "HEAD^{commit}")
    changed = _run(folder, "status", "--porcelain", "--untracked-files=no")
    if commit.returncode or changed.returncode:
        return None
    return Head(commit.stdout.strip(), len(changed.stdout.splitlines()))


def read_remote(pin: Pin) -> dict[str, str]:
    """Ask the repository of ``pin`` for its references: name to commit.

    Raises:
        DownloadFailed: it does not answer, or refuses.
    """
    with TemporaryDirectory() as nowhere:  # a repository around us may be broken
        found = _git(pin, Path(nowhere), "ls-remote", pin.repository)
    pairs = (line.partition("\t") for line in found.splitlines())
    return {name: commit for commit, _, name in pairs}


def is_ours(folder: Path) -> bool:
    """Tell whether :func:`check_out` made ``folder``."""
    return (folder / ".git" / _MARK).is_file()


def mark_as_ours(folder: Path) -> None:
    """Mark ``folder``, which was laid out without git, so that a later run of git may change it."""
    (folder / ".git").mkdir(exist_ok=True)
    (folder / ".git" / _MARK).touch()


@contextmanager
def _owned(pin: Pin, folder: Path) -> Generator[None]:
    """Hold ``folder`` alone; a run that was killed holds nothing any more.

    Raises:
        CheckoutUnwritable: nothing can be made there.
    """
    try:
        # before git writes anything: a run that is killed in ``init`` leaves a folder of ours
        (folder / ".git").mkdir(parents=True, exist_ok=True)
        mark = (folder / ".git" / _MARK).open("a")
    except OSError as error:
        raise CheckoutUnwritable(pin.name, detail=error.strerror or "", path=str(folder)) from None
    with mark:
        lock_descriptor(mark.fileno())
        yield


def _bring_or_repair(pin: Pin, folder: Path) -> None:
    """Bring the folder to its pin; mend what git cannot read, from the cheapest way on."""
    for repair in (_list_anew, _start_over):
        try:
            return _bring(pin, folder)
        except CheckoutBroken as error:
            _log.warning("checkout_broken", name=pin.name, repair=repair.__name__, why=error.detail)
            repair(folder)
    return _bring(pin, folder)


def _bring(pin: Pin, folder: Path) -> None:
    git = folder / ".git"
    for leftover in (*git.rglob("*.lock"), *git.glob("objects/pack/tmp_*")):
        leftover.unlink()  # of a run that was killed: nobody else is here now
    _git(pin, folder, "init", "--quiet", "--initial-branch", "pinned")
    laying = ("checkout", "--quiet", "--force", "--detach", pin.commit)
    if _run(folder, *laying).returncode:
        # The address is given here and not stored: nothing can pull from it by accident.
        _git(pin, folder, "fetch", "--quiet", "--no-tags", "--depth=1", pin.repository, pin.commit)
        _git(pin, folder, *laying)
    if head_of(folder) != Head(pin.commit, changed=0):
        raise CheckoutBroken(pin.name, path=str(folder))


def _list_anew(folder: Path) -> None:
    """Make git's list of the files anew, from its commit."""
    (folder / ".git" / "index").unlink(missing_ok=True)
    _run(folder, "read-tree", "HEAD")  # else files that the next commit lacks would stay


def _start_over(folder: Path) -> None:
    """Throw away what git knows; the files stay and are written over."""
    for item in (folder / ".git").iterdir():
        if item.name == _MARK:
            continue
        if item.is_dir():
            shutil.rmtree(item)
        else:
            item.unlink()


def _keep_edits(pin: Pin, folder: Path) -> Path | None:
    """Write what somebody changed in files of ``folder`` to a patch beside it.

    Returns:
        The patch; None where files are only missing.

    Raises:
        CheckoutUnwritable: it cannot be written.
    """
    edits = _git(pin, folder, "diff", "--binary", "--no-ext-diff", "--diff-filter=AMT", "HEAD")
    if not edits:
        return None
    number = 1
    while (path := folder.parent / f"{folder.name}-edits-{number}.patch").exists():
        number += 1  # counted up: one in the middle may be gone, and no older one is written over
    try:
        write_atomically(path, edits.encode("utf-8", "surrogateescape"), 0o666)
    except OSError as error:  # the files are not touched then
        raise CheckoutUnwritable(pin.name, detail=error.strerror or "", path=str(path)) from None
    return path


def _git(pin: Pin, folder: Path, *arguments: str) -> str:
    try:
        done = _run(folder, *arguments)
    except FileNotFoundError:
        raise GitMissing(pin.name) from None
    except subprocess.TimeoutExpired:
        raise RepositoryOffline(pin.name, detail="timeout", source=pin.repository) from None
    if done.returncode == -signal.SIGXFSZ:  # it has no words for a limit of the files' size
        raise CheckoutDiskFull(pin.name, detail=os.strerror(errno.EFBIG), path=str(folder))
    if done.returncode:
        raise _problem(pin, folder, done.stderr)
    return done.stdout


def _run(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return run_git(folder, arguments, _LIMIT_S, _OPTIONS)


def _problem(pin: Pin, folder: Path, complaint: str) -> DownloadFailed:
    """Classify git's complaint by its words; its exit status says nothing."""
    text, detail = complaint.lower(), _first_complaint(complaint)

    def among(*words: str) -> bool:
        return any(word in text for word in words)

    if among("no space left", "file too large", "quota exceeded", "signal 25"):
        return CheckoutDiskFull(pin.name, detail=detail, path=str(folder))
    if among("permission denied", "read-only file system"):
        return CheckoutUnwritable(pin.name, detail=detail, path=str(folder))
    if among("not our ref", "remote ref", "unadvertised object"):
        return CommitUnknown(pin.name, source=pin.repository, commit=pin.commit)
    if among("could not read username", "could not read password", "authentication failed",
             "repository not found", "/' not found", "error: 401", "error: 403",
             "error: 404"):  # fmt: skip
        return RepositoryRefused(pin.name, detail=detail, source=pin.repository)
    if among("resolve host", "unable to access", "could not read from remote", "connection",
             "does not appear to be a git", "does not exist", "timed out", "early eof",
             "hung up", "rpc failed", "unexpected disconnect"):  # fmt: skip
        return RepositoryOffline(pin.name, detail=detail, source=pin.repository)
    if shutil.disk_usage(folder).free < _SPARE_BYTES:
        return CheckoutDiskFull(pin.name, detail=detail, path=str(folder))
    return CheckoutBroken(pin.name, detail=detail, path=str(folder))


def _first_complaint(text: str) -> str:
    """Find the line that says what went wrong; git often ends with advice."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line for line in lines if line.startswith(("fatal:", "error:"))]
    first = (told or lines or [""])[0]
    return first.removeprefix("fatal:").removeprefix("error:").strip()[:300]
