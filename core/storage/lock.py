"""One process per data directory, and per database: the kernel drops a lock with its process.

Two data directories may name one database, and one file may have several paths: links, hard ones
too. So the database is held by what it is, beside the folder.
"""

import os
import sys
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from enum import Enum, auto
from pathlib import Path

from filelock import lock_descriptor

from core.errors import ClapperError
from core.errors.setup import DataDirectoryBusy
from core.errors.storage import DatabaseInUse
from core.runtime.paths import readable
from core.runtime.permissions import PRIVATE_FILE, make_private_folder
from core.storage.database_owner import refuse_foreign
from core.storage.ordinary_files import require_file
from core.storage.trouble import named_troubles

LOCK_NAME = ".lock"
DATABASE_LOCK_SUFFIX = ".lock"
PATIENCE_S = 10.0  # for a command to end
LOOK_S = 0.05
BRIEF = b"a command, for a moment"  # what the file of the lock says then
_held: set[tuple[int, int]] = set()  # device and inode of the databases that this process holds
_handles: set[int] = set()  # of the files that are locked


class DirectoryHold(Enum):
    """How a process holds its data directory."""

    ALONE = auto()
    BRIEFLY = auto()  # alone, by a command that is over in seconds: others wait for its end
    LOOKED_AT = auto()  # as briefly, and nothing is written: it may be somebody else's
    TOGETHER = auto()  # with other nodes that say the same
    NOT = auto()  # a command beside them, which keeps nothing there


@contextmanager
def lock(folder: Path, hold: DirectoryHold = DirectoryHold.ALONE) -> Generator[None]:
    """Hold ``folder`` for this process; it is made if it does not exist.

    Who comes while a command holds it for a moment waits for that moment: ``clapper status`` must
    not keep a service from starting.

    Raises:
        DataDirectoryBusy: another process, or another call in this one, holds it.
        StorageProblem: nothing can be written there.
    """
    with named_troubles(folder):
        make_private_folder(folder)
    if hold is DirectoryHold.NOT:
        yield
        return
    busy = DataDirectoryBusy(readable(folder))
    shared = hold is DirectoryHold.TOGETHER
    until = time.monotonic() + PATIENCE_S
    with ExitStack() as held:
        while True:
            try:
                handle = held.enter_context(
                    _locked(folder / LOCK_NAME, os.O_CREAT, busy, shared=shared)
                )
                break
            except DataDirectoryBusy:
                if time.monotonic() > until or not _is_held_briefly(folder / LOCK_NAME):
                    raise
            time.sleep(LOOK_S)
        if hold is DirectoryHold.LOOKED_AT:
            yield
            return
        with suppress(OSError):  # a full disk: nobody waits then, and nothing else is lost
            os.ftruncate(handle, 0)
            os.pwrite(handle, BRIEF if hold is DirectoryHold.BRIEFLY else b"", 0)
        yield


def _is_held_briefly(path: Path) -> bool:
    """Tell whether who holds the lock said that it is soon over, or does so in a moment."""
    for wait_s in (0.0, LOOK_S):
        time.sleep(wait_s)
        with named_troubles(path), path.open("rb") as file:
            if file.read(len(BRIEF)) == BRIEF:
                return True
    return False


@contextmanager
def lock_database(path: Path) -> Generator[None]:
    """Hold the database ``path`` for this process, whatever path leads to it.

    An absent one is made, empty. A file beside it is locked, and on Linux the file itself, where
    that lock is none of those that SQLite takes.

    Raises:
        DatabaseInUse: another process, or another call in this one, holds it.
        DatabaseForeign: it is another program's; nothing was made beside it.
        StorageProblem: it cannot be opened.
    """
    busy = DatabaseInUse(readable(path))
    with named_troubles(path):
        require_file(path)
        real = path.resolve()
        if real.exists():
            if _identity(real) in _held:  # to open and close it would take away what SQLite holds
                raise busy
            refuse_foreign(real)
        else:
            make_private_folder(real.parent)
            real.touch(PRIVATE_FILE)
        identity = _identity(real)
    with ExitStack() as held:
        beside = real.with_name(real.name + DATABASE_LOCK_SUFFIX)
        held.enter_context(_locked(beside, os.O_CREAT, busy))
        if sys.platform == "linux":
            held.enter_context(_locked(real, 0, busy))
        _held.add(identity)
        held.callback(_held.discard, identity)
        yield


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino


@contextmanager
def _locked(path: Path, flags: int, busy: ClapperError, *, shared: bool = False) -> Generator[int]:
    """Hold the file ``path``, alone unless it is ``shared``; gives its descriptor.

    Raises:
        ClapperError: ``busy`` where somebody else holds it, or what the system refuses.
    """
    with named_troubles(path):
        handle = os.open(path, os.O_RDWR | flags, PRIVATE_FILE)
    _handles.add(handle)
    try:
        with named_troubles(path):
            held = _share(handle) if shared else lock_descriptor(handle, blocking=False)
        if not held:
            raise busy
        yield handle
    finally:
        _close(handle)


def _share(handle: int) -> bool:
    """Take the shared kind of the same lock, which filelock has for no descriptor (ADR 74)."""
    import fcntl  # of POSIX alone

    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _close(handle: int) -> None:
    if handle in _handles:  # in a process that was forked it is closed already
        _handles.remove(handle)
        os.close(handle)


def _let_go() -> None:
    """Close what a forked process inherits: its copy would hold the lock after we have ended."""
    _held.clear()
    for handle in tuple(_handles):
        _close(handle)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)
