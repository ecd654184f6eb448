"""Back up the data directory while the service runs, and put a backup in its place.

A backup is a folder that bears our mark: a copy of the database, clips and inputs as hard links
(copies on another disk), the keys, and a list of all files with their sizes. Clips and inputs are
never written to once they have their names, so a link holds what it held.
"""

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from uuid import uuid4

from core.app.backup_contents import (
    FOLDERS,
    KEYS,
    LIST_NAME,
    MARK_LINE,
    Backup,
    check_backup,
)
from core.errors import SetupProblem
from core.runtime import file_names
from core.runtime.atomic_files import PART, write_atomically
from core.runtime.clock import Clock, now_ms
from core.runtime.paths import readable
from core.runtime.permissions import make_private, make_private_folder
from core.settings import DATABASE_NAME, Settings
from core.storage.addresses import database_file, postgres_address
from core.storage.backup import clips_of, copy_database, name_of, roll_back
from core.storage.claim import is_marked, put_mark
from core.storage.database_owner import is_database_of_ours
from core.storage.trouble import named_troubles

_NO_LINK = {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EACCES}


class NothingToBackUp(SetupProblem):
    """There is no database of ours at ``path``."""

    path: str


class RowsOnServer(SetupProblem):
    """PostgreSQL keeps the rows on ``server``: they are copied and put back by its own programs."""

    server: str
    folder: str  # clips and inputs lie below it


class BackupPlaceTaken(SetupProblem):
    """The folder for the backup holds something that is no backup of ours."""

    path: str


class BackupPlaceUnfit(SetupProblem):
    """The folder for the backup is a disk's own, the data directory, inside it or around it."""

    path: str


class BackupOfAnother(SetupProblem):
    """The folder holds a backup of another database, perhaps of before this one was lost."""

    path: str


def make_backup(settings: Settings, place: Path, clock: Clock = now_ms) -> Backup:
    """Back up everything that cannot be made again into ``place``, whole or not at all.

    Args:
        settings: of the installation; its service may be running.
        place: absent, empty, or an earlier backup, which is replaced once the new one is whole.
        clock: what is written as its time.

    Raises:
        NothingToBackUp: there is no database.
        RowsOnServer: PostgreSQL keeps it.
        BackupPlaceTaken: something else lies there.
        BackupPlaceUnfit: a backup cannot lie there.
        BackupOfAnother: a backup of another database lies there.
        DatabaseDamaged: the database, or the copy of it, does not pass SQLite's check.
        StorageProblem: something cannot be read or written.
    """
    database = file_of_rows(settings)
    with named_troubles(database):
        if is_marked(settings.data_dir):
            roll_back(database)
        if not is_database_of_ours(database):
            raise NothingToBackUp(readable(database))
    with named_troubles(place):
        place = place.resolve()
        _require_place(place, settings.data_dir.resolve())
        _require_same_database(place / DATABASE_NAME, database)
        place.parent.mkdir(parents=True, exist_ok=True)
        _remove_unfinished(place)
        part = place.with_name(f"{PART}{uuid4().hex}-{place.name}")
        try:
            _fill(part, settings.data_dir, database, clock())
            made = check_backup(part)
            _swap(part, place)
        finally:
            _discard(part)
    return Backup(place, made.contents, made.files, made.made_at_ms, made.absent)


def file_of_rows(settings: Settings) -> Path:
    """Return where the rows lie.

    Raises:
        RowsOnServer: PostgreSQL keeps them.
    """
    file = database_file(settings.database)
    if file is None:
        server = postgres_address(settings.database, insecure=True).server
        raise RowsOnServer(server, readable(settings.data_dir))
    return file


def link_or_copy(source: Path, target: Path) -> None:
    """Make ``target`` another name of the file ``source``; a copy where the disk is another.

    Raises:
        OSError: neither can be made.
    """
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise
        shutil.copyfile(source, target, follow_symlinks=False)
        shutil.copystat(source, target, follow_symlinks=False)
        with target.open("rb") as copy:
            os.fsync(copy.fileno())


def _require_place(place: Path, data_dir: Path) -> None:
    """Refuse a place that is not for a backup.

    Raises:
        BackupPlaceTaken: something else lies there.
        BackupPlaceUnfit: a backup cannot lie there.
    """
    overlaps = place.is_relative_to(data_dir) or data_dir.is_relative_to(place)
    if overlaps or (place.exists() and place.is_mount()):
        raise BackupPlaceUnfit(readable(place))
    if place.exists() and not place.is_dir():
        raise BackupPlaceTaken(readable(place))
    if place.is_dir() and any(place.iterdir()) and not is_marked(place, MARK_LINE):
        raise BackupPlaceTaken(readable(place))


def _require_same_database(backup: Path, database: Path) -> None:
    """Refuse to replace the backup of another installation, or of before the data were lost.

    Raises:
        BackupOfAnother: it is none of this database.
    """
    if backup.is_file():
        with named_troubles(backup):
            theirs = name_of(backup)
        if theirs and theirs != name_of(database):
            raise BackupOfAnother(readable(backup.parent))


def _fill(part: Path, data_dir: Path, database: Path, now: int) -> None:
    make_private_folder(part)
    put_mark(part, MARK_LINE)
    contents = copy_database(database, part / DATABASE_NAME)  # first: no row names what comes later
    for name, shape in FOLDERS.items():
        make_private_folder(part / name)
        for file in file_names.files_of(data_dir / name, shape):
            _link_unless_gone(file, part / name / file.name)
    for name in KEYS:
        if (data_dir / name).is_file() and not (data_dir / name).is_symlink():
            write_atomically(part / name, (data_dir / name).read_bytes())
    files = {name: (part / name).stat().st_size for name in _files_below(part)}
    wanted = clips_of(part / DATABASE_NAME)
    absent = sum(files.get(f"clips/{name}") != size for name, size in wanted.items())
    listed = {"made_at_ms": now, "contents": asdict(contents), "files": files, "absent": absent}
    write_atomically(part / LIST_NAME, json.dumps(listed, indent=1))
    make_private(part)


def _link_unless_gone(file: Path, target: Path) -> None:
    try:
        link_or_copy(file, target)
    except FileNotFoundError:
        if file.exists():  # else it was deleted meanwhile, with its row
            raise


def _files_below(part: Path) -> Iterator[str]:
    for path in sorted(part.rglob("*")):
        if path.is_file() and path.name != LIST_NAME:
            yield path.relative_to(part).as_posix()


def _swap(part: Path, place: Path) -> None:
    """Put ``part`` where ``place`` is; an earlier backup goes only then."""
    if not place.exists() or not any(place.iterdir()):
        part.replace(place)
        return
    old = place.with_name(f"{PART}{uuid4().hex}-{place.name}")
    place.rename(old)
    part.replace(place)
    _discard(old)


def _remove_unfinished(place: Path) -> None:
    """Remove what a backup that was killed left beside ``place``, and put back what it moved."""
    parts = (path for path in file_names.entries_of(place.parent, file_names.PART)
             if path.name.endswith(f"-{place.name}") and path.is_dir())  # fmt: skip
    left = [path for path in parts if is_marked(path, MARK_LINE) or not any(path.iterdir())]
    whole = [path for path in left if (path / LIST_NAME).is_file()]
    if whole and not place.exists():
        whole[0].rename(place)
        left.remove(whole[0])
    for path in left:
        _discard(path)


def _discard(folder: Path) -> None:
    """Remove a backup or a part of one, its mark last: what is left of it is known as ours."""
    for name in (LIST_NAME, DATABASE_NAME, *KEYS):  # without its list it is whole no more
        with suppress(OSError):
            (folder / name).unlink()
    for name in FOLDERS:
        shutil.rmtree(folder / name, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
