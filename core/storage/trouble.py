"""Name the cause of what SQLite or the system reports: one mapping from their codes to our errors.

A full disk, a lock and missing rights are no damage: only what SQLite found in the file is. Where
SQLite tells no more than "cannot open" or "I/O error", the system is asked for its own reason.
"""

import errno
import os
import re
import sqlite3
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from sqlalchemy.exc import DBAPIError

from core.errors import ClapperError
from core.errors.setup import DatabaseDamaged
from core.errors.storage import (
    DatabaseLocked,
    FileTooLarge,
    LinksInCircle,
    MemoryShort,
    NameTooLong,
    PathIsFile,
    PathIsFolder,
    StorageFaulty,
    StorageFilesUsed,
    StorageForbidden,
    StorageFull,
    StorageGone,
    StorageInUse,
    StorageQuotaUsed,
    StorageReadOnly,
    StorageUnavailable,
    StorageUnsupported,
    StorageUnusable,
    TooManyOpenFiles,
    TooManyThreads,
)
from core.runtime.paths import readable
from core.storage import disk_probes
from core.storage.ordinary_files import where_led
from core.storage.postgres_trouble import postgres_problem

_TROUBLES = (DBAPIError, sqlite3.Error, OSError, RuntimeError, StorageUnavailable)
_SAID: dict[int, Callable[[str], ClapperError]] = {
    errno.ENOSPC: StorageFull,
    errno.EDQUOT: StorageQuotaUsed,
    errno.EROFS: StorageReadOnly,
    errno.EACCES: StorageForbidden,
    errno.EPERM: StorageForbidden,
    errno.EISDIR: PathIsFolder,
    errno.ENOTDIR: PathIsFile,
    errno.EEXIST: PathIsFile,
    errno.ENAMETOOLONG: NameTooLong,
    errno.ELOOP: LinksInCircle,
    errno.EBUSY: StorageInUse,
    errno.ETXTBSY: StorageInUse,
    errno.EMFILE: lambda _: TooManyOpenFiles(),
    errno.ENFILE: lambda _: TooManyOpenFiles(),
    errno.ENOMEM: lambda _: MemoryShort(),
    **dict.fromkeys(
        # a share that is gone, a disk that was pulled out, a program of a file system that died
        (errno.ENOENT, errno.ESTALE, errno.ENODEV, errno.ENXIO, errno.ENOTCONN, errno.EHOSTDOWN),
        StorageGone,
    ),
}
_WORN = {errno.EIO, errno.EUCLEAN, errno.EREMOTEIO, errno.EBADMSG}
_LACKING = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}
_LACKS = re.compile(r"no such (?:table|column)|table \w+ has no column")  # that migrations made
_CIRCLE = re.compile(r"Symlink loop from '(.*)'")  # of pathlib before Python 3.13
_HELD = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
_ASK_THE_SYSTEM = {
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_AUTH,
}


@contextmanager
def named_troubles(path: Path) -> Generator[None]:
    """Raise our errors instead of SQLite's and the system's inside the block.

    Args:
        path: what the block works on; named where the error names no path itself.

    Raises:
        ClapperError: the cause; what is no trouble of the storage passes as it is.
    """
    try:
        yield
    except _TROUBLES as error:
        named = storage_problem(error, path) or error
        raise named from (error if named is not error else error.__cause__)


def storage_problem(error: BaseException, path: Path | None = None) -> ClapperError | None:
    """Return our error for what ``error`` means, or None where it is no trouble of the storage.

    Args:
        error: of SQLAlchemy, SQLite or the system, or a group with such; ours are returned, with
            the operator's view where people are told less.
        path: of the database or the file; named where ``error`` names none.
    """
    members = members_of(error)
    if members != [error]:
        named = (storage_problem(one, path) for one in members)
        return next((one for one in named if one is not None), None)
    if isinstance(error, StorageUnavailable) and isinstance(error.__cause__, ClapperError):
        return error.__cause__
    if isinstance(error, ClapperError):
        return error
    if isinstance(error, DBAPIError) and error.orig is not None:
        return postgres_problem(error) or storage_problem(error.orig, path)
    if isinstance(error, sqlite3.Error):
        return _of_sqlite(error, path or Path())
    if isinstance(error, OSError):
        return of_system(error, path)
    return _of_python(error) or postgres_problem(error)


def members_of(error: BaseException) -> list[BaseException]:
    """Return the errors in a group, and in groups of it; one that is no group is alone."""
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    group = cast("BaseExceptionGroup[BaseException]", error)
    return [leaf for one in group.exceptions for leaf in members_of(one)]


def of_system(error: OSError, path: Path | None = None) -> ClapperError:
    """Return our error for a refusal of the system.

    Args:
        error: its path is named.
        path: named where it has none.
    """
    named = isinstance(error.filename, str | bytes | os.PathLike)
    told = error.filename if named else path
    place = readable(Path(os.fsdecode(told if told is not None else Path())))
    reason = error.strerror or type(error).__name__
    if error.errno == errno.EFBIG and (limit := disk_probes.limit_bytes()):
        return FileTooLarge(place, limit)
    if error.errno in _WORN:
        return StorageFaulty(place, reason)
    if error.errno in _LACKING:
        return StorageUnsupported(place, reason)
    if error.errno in {errno.EEXIST, errno.ENOENT} and told:
        link = Path(os.fsdecode(told))
        if link.is_symlink() and not link.exists():
            return StorageGone(where_led(link))
    if error.errno == errno.EAGAIN and told is None:  # a process that cannot be started
        return TooManyThreads()
    if error.errno == errno.ENOSPC and told is not None and disk_probes.takes_no_files(Path(place)):
        return StorageFilesUsed(place)
    make = _SAID.get(error.errno or 0)
    return make(place) if make else StorageUnusable(place, reason)


def _of_python(error: BaseException) -> ClapperError | None:
    """Return our error for what Python says of the system in classes and words of its own."""
    if isinstance(error, MemoryError):
        return MemoryShort()
    if isinstance(error, RuntimeError) and str(error) == "can't start new thread":
        return TooManyThreads()
    circle = _CIRCLE.fullmatch(str(error)) if isinstance(error, RuntimeError) else None
    return LinksInCircle(circle[1]) if circle else None


def _of_sqlite(error: sqlite3.Error, path: Path) -> ClapperError | None:
    code = getattr(error, "sqlite_errorcode", 0)
    primary = code & 0xFF
    if primary in DAMAGED or (primary == sqlite3.SQLITE_ERROR and _LACKS.match(str(error))):
        return DatabaseDamaged(f"{readable(path)}: {error}")
    if primary in _HELD:
        return _lacks_locks(path) or DatabaseLocked(readable(path))
    if primary == sqlite3.SQLITE_FULL:
        return _by_looking(path) or StorageFull(readable(path))
    if primary == sqlite3.SQLITE_NOMEM or code == sqlite3.SQLITE_IOERR_NOMEM:
        return MemoryShort()
    if primary == sqlite3.SQLITE_NOLFS:
        return StorageUnusable(readable(path), str(error))
    if code == sqlite3.SQLITE_READONLY_DBMOVED:
        return StorageGone(readable(path))
    if primary in _ASK_THE_SYSTEM:
        return _by_looking(path) or _as_said(primary, str(error), path)
    return None


def _lacks_locks(path: Path) -> ClapperError | None:
    """Tell whether the disk has no locks, which SQLite takes for somebody else's."""
    try:
        with disk_probes.probe_in(path.parent) as probe:
            os.lockf(probe.fileno(), os.F_TLOCK, 0)
    except OSError as error:
        return of_system(error, path) if error.errno in _LACKING else None
    return None


def _as_said(primary: int, detail: str, path: Path) -> ClapperError:
    """Return what is known where the system has nothing to add."""
    if primary == sqlite3.SQLITE_IOERR:
        return StorageFaulty(readable(path), detail)
    if primary in {sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH, sqlite3.SQLITE_READONLY}:
        return StorageForbidden(readable(path))
    return StorageUnusable(readable(path), detail)


def _by_looking(path: Path) -> ClapperError | None:
    """Return what keeps ``path`` from being written."""
    try:
        return disk_probes.find_obstacle(path)
    except OSError as error:
        return of_system(error, path)
