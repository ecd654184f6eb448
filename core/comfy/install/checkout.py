"""Check out one repository at one commit into a folder, whatever state the folder is in.

Everything here may be repeated and killed at any point. Only folders that this module made are ever
changed, and what somebody edited in one is kept beside it before it is undone.
"""

import errno
import os
import shutil
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
)
from core.comfy.install.git_runs import git, refuse_full, run
from core.comfy.install.pins import Pin
from core.comfy.install.room import (
    CHECKOUT_BYTES,
    free_bytes,
    remove_files,
    remove_tree,
)
from core.errors.setup import CheckoutForeign
from core.runtime.atomic_files import write_atomically
from core.runtime.full_disk import NO_ROOM

_log = structlog.get_logger(__name__)
_MARK = "clapper-made"  # a file inside .git: this module owns the folder, and its lock
_INDEX_BYTES = 1_000_000  # git's list of files is written anew; ComfyUI's has 0.1 MB


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
    is_new = not folder.exists()
    _require(pin, folder, CHECKOUT_BYTES if is_new else 0)
    with _owned(pin, folder):
        remove_files(_leftovers(folder))
        found = head_of(folder)
        if found == Head(pin.commit, changed=0):
            return CheckoutOutcome.ALREADY
        kept = _keep_edits(pin, folder) if found and found.changed else None
        if kept is not None:
            on_kept(kept)
        before = _objects(folder), _shallow(folder)
        try:
            _bring_or_repair(pin, folder)
        except CheckoutDiskFull as full:
            _go_back(pin, folder, found, *before, is_new=is_new)
            refuse_full(pin, folder, full.detail, full.need_bytes)  # with what is free now
    _log.info("checked_out", name=pin.name, commit=pin.commit)
    return CheckoutOutcome.DONE


def _leftovers(folder: Path) -> set[Path]:
    """Return what a run that was killed left behind: nobody else is here now."""
    place = folder / ".git"
    return {*place.rglob("*.lock"), *place.glob("objects/pack/tmp_*")}


def _objects(folder: Path) -> set[Path]:
    """Return the files in which git keeps what it fetched, and those of a run that broke off."""
    found = (folder / ".git").glob("objects/*/*")
    return {*_leftovers(folder), *(path for path in found if path.is_file())}


def _shallow(folder: Path) -> bytes | None:
    """Return git's list of commits whose parents it never fetched, None where it has none."""
    try:
        return (folder / ".git" / "shallow").read_bytes()
    except OSError:
        return None


def _go_back(
    pin: Pin,
    folder: Path,
    found: Head | None,
    objects: set[Path],
    shallow: bytes | None,
    *,
    is_new: bool,
) -> None:
    """Leave the folder as it was found: at its commit, without what was fetched, or not there."""
    if is_new:
        remove_tree(folder)
        return
    added = _files_of(folder, pin.commit) - _files_of(folder, found.commit if found else "")
    remove_files(_objects(folder) - objects)
    if shallow != _shallow(folder):  # it would name a commit that is not there any more
        (folder / ".git" / "shallow").write_bytes(shallow or b"")
    if found is not None:
        remove_files({folder / name for name in added})
        run(folder, "checkout", "--quiet", "--force", "--detach", found.commit)


def _files_of(folder: Path, commit: str) -> set[str]:
    listed = run(folder, "ls-tree", "-r", "-z", "--name-only", commit).stdout.split("\0")
    return {name for name in listed if name}


def _require(pin: Pin, folder: Path, need_bytes: int) -> None:
    """Refuse before anything is written what will not fit.

    Raises:
        CheckoutDiskFull: less is free.
    """
    if need_bytes and free_bytes(folder) < need_bytes:
        refuse_full(pin, folder, os.strerror(errno.ENOSPC), need_bytes)


def head_of(folder: Path) -> Head | None:
    """Read what ``folder`` holds; None where it is not a sound checkout of its own."""
    if not (folder / ".git").exists() or shutil.which("git") is None:
        return None
    commit = run(folder, "rev-parse", "--verify", "HEAD^{commit}")
    # it would write down what it found, and fail where the disk is full
    look = ("--no-optional-locks", "status", "--porcelain", "--untracked-files=no")
    changed = run(folder, *look)
    if commit.returncode or changed.returncode:
        return None
    return Head(commit.stdout.strip(), len(changed.stdout.splitlines()))


def read_remote(pin: Pin) -> dict[str, str]:
    """Ask the repository of ``pin`` for its references: name to commit.

    Raises:
        DownloadFailed: it does not answer, or refuses.
    """
    with TemporaryDirectory() as nowhere:  # a repository around us may be broken
        found = git(pin, Path(nowhere), "ls-remote", pin.repository)
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
        CheckoutDiskFull: not for want of rights.
    """
    try:
        # before git writes anything: a run that is killed in ``init`` leaves a folder of ours
        (folder / ".git").mkdir(parents=True, exist_ok=True)
        mark = (folder / ".git" / _MARK).open("a")
    except OSError as error:
        if error.errno in NO_ROOM:
            refuse_full(pin, folder, error.strerror or "")
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
    if head_of(folder) is None:  # else it would write its settings anew, and lose them if it cannot
        git(pin, folder, "init", "--quiet", "--initial-branch", "pinned")
    if run(folder, "cat-file", "-e", f"{pin.commit}^{{tree}}").returncode:
        _fetch(pin, folder)
    laying = ("checkout", "--quiet", "--force", "--detach", pin.commit)
    _require(pin, folder, _laid_bytes(folder, pin.commit))
    if run(folder, *laying).returncode:  # a part of what was fetched is gone
        _fetch(pin, folder)
        git(pin, folder, *laying)
    if head_of(folder) != Head(pin.commit, changed=0):
        raise CheckoutBroken(pin.name, path=str(folder))


def _fetch(pin: Pin, folder: Path) -> None:
    # The address is given here and not stored: nothing can pull from it by accident.
    git(pin, folder, "fetch", "--quiet", "--no-tags", "--depth=1", pin.repository, pin.commit)


def _laid_bytes(folder: Path, commit: str) -> int:
    """Return how much the files of ``commit`` take that do not lie there already."""
    there = set(run(folder, "ls-tree", "-r", "-z", "-l", "HEAD").stdout.split("\0"))
    wanted = run(folder, "ls-tree", "-r", "-z", "-l", commit).stdout.split("\0")
    sizes = (row.partition("\t")[0].split()[-1:] for row in wanted if row not in there)
    new = sum(int(size) for part in sizes for size in part if size.isdigit())
    return new + _INDEX_BYTES if new else 0


def _list_anew(folder: Path) -> None:
    """Make git's list of the files anew, from its commit."""
    (folder / ".git" / "index").unlink(missing_ok=True)
    run(folder, "read-tree", "HEAD")  # else files that the next commit lacks would stay


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
        CheckoutDiskFull: it does not fit.
    """
    edits = git(pin, folder, "diff", "--binary", "--no-ext-diff", "--diff-filter=AMT", "HEAD")
    if not edits:
        return None
    number = 1
    while (path := folder.parent / f"{folder.name}-edits-{number}.patch").exists():
        number += 1  # counted up: one in the middle may be gone, and no older one is written over
    try:
        write_atomically(path, edits.encode("utf-8", "surrogateescape"), 0o666)
    except OSError as error:  # the files are not touched then
        if error.errno in NO_ROOM:
            refuse_full(pin, path, error.strerror or "", len(edits))
        raise CheckoutUnwritable(pin.name, detail=error.strerror or "", path=str(path)) from None
    return path
