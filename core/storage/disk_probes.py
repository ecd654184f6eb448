"""Look for what keeps a file from being written, where SQLite says no more than that it is so."""

import errno
import mmap
import os
import stat
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from core.errors import ClapperError
from core.errors.storage import (
    FileTooLarge,
    MemoryShort,
    PathIsFile,
    PathIsFolder,
    StorageForbidden,
    StorageReadOnly,
    StorageUnsupported,
)
from core.runtime.paths import readable

_FILES_AT_ONCE = 4  # of SQLite: the database, its two journals, a folder
_READ_BYTES = 1_048_576
_PROBE_BYTES = 65_536  # more than SQLite asks for at once: a page, or 32 KiB of its index


def find_obstacle(path: Path) -> ClapperError | None:
    """Find what keeps the database ``path`` from being written, without opening it.

    To open and close the file would give up the locks that SQLite holds on it for this process.

    Raises:
        OSError: the system's own reason.
    """
    for look in (_look_at, _write_beside, _map_beside):
        if (problem := look(path)) is not None:
            return problem
    return None


def journals_of(path: Path) -> Iterator[Path]:
    """Return where SQLite keeps the journals of the database ``path``."""
    return (path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal"))


def takes_no_files(path: Path) -> bool:
    """Tell whether the disk of ``path`` has room for bytes and none for another file."""
    with suppress(OSError, ValueError):
        disk = os.statvfs(next(one for one in (path, *path.parents) if one.exists()))
        return disk.f_files > 0 and disk.f_favail == 0 and disk.f_bavail > 0
    return False


def limit_bytes() -> int:
    """Return how large a file of this process may become; 0 where nothing limits it."""
    import resource  # of POSIX alone

    soft, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    return 0 if soft == resource.RLIM_INFINITY else soft


def read_through(path: Path) -> None:
    """Read ``path`` and its journals whole: SQLite takes what the disk cannot read for damage.

    Only before anything is served, as it gives up the locks of this process on them.

    Raises:
        OSError: the disk cannot.
    """
    for one in (path, *journals_of(path)):
        if one.is_file():
            with one.open("rb", buffering=0) as file:
                while file.read(_READ_BYTES):
                    pass


def _look_at(path: Path) -> ClapperError | None:
    folder = path.parent
    if not stat.S_ISDIR(folder.stat().st_mode):
        return PathIsFile(readable(folder))
    for one in (path, *journals_of(path)):
        if not os.path.lexists(one):
            continue
        found = one.stat()
        if stat.S_ISDIR(found.st_mode):
            return PathIsFolder(readable(one))
        if os.statvfs(one).f_flag & os.ST_RDONLY:
            return StorageReadOnly(readable(one))
        if not os.access(one, os.R_OK | os.W_OK, effective_ids=True):
            return StorageForbidden(readable(one))
        limit = limit_bytes()
        if limit and found.st_size + _PROBE_BYTES > limit:
            return FileTooLarge(readable(one), limit)
    return None


@contextmanager
def probe_in(folder: Path) -> Generator[IO[bytes]]:
    """Open a file without a name in ``folder``.

    Raises:
        OSError: nothing can be written there; it names ``folder``.
    """
    try:
        with TemporaryFile(dir=folder) as probe:
            yield probe
    except OSError as error:
        error.filename = str(folder)
        raise


def _write_beside(path: Path) -> None:
    with probe_in(path.parent) as probe, ExitStack() as held:
        probe.write(bytes(_PROBE_BYTES))
        probe.flush()
        for _ in range(_FILES_AT_ONCE - 1):
            held.callback(os.close, os.dup(probe.fileno()))


def _map_beside(path: Path) -> ClapperError | None:
    """Find whether processes may share the memory of a file there, as SQLite's index needs it."""
    with probe_in(path.parent) as probe:
        probe.write(bytes(mmap.PAGESIZE))
        probe.flush()
        try:
            mmap.mmap(probe.fileno(), mmap.PAGESIZE).close()
        except OSError as error:
            if error.errno == errno.ENOMEM:
                return MemoryShort()
            return StorageUnsupported(readable(path), f"mmap: {error.strerror}")
    return None
