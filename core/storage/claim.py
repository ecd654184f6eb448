"""A data directory is ours because it bears our mark, never because of where it lies.

What is in a data directory is deleted when its time is over, so a folder that somebody else uses
must never become one. This is asked before anything is made in it, the lock included.
"""

import os
import re
from pathlib import Path

from core.errors.setup import (
    DataDirectoryForeign,
    DataDirectoryLink,
)
from core.runtime import file_names
from core.runtime.paths import readable
from core.runtime.permissions import PRIVATE_FILE, make_private_folder
from core.settings import DATABASE_NAME
from core.storage.database_owner import is_database_of_ours
from core.storage.lock import DATABASE_LOCK_SUFFIX, LOCK_NAME
from core.storage.ordinary_files import require_file
from core.storage.record import RECORD_NAME
from core.storage.trouble import journals_of, named_troubles

MARK_NAME = ".clapper"
MARK = "data directory of clapper"  # the mark's first line
_REMARK = "Clapper deletes old clips and inputs in this folder. Keep this file.\n"
_OF_THE_SYSTEM = frozenset({"lost+found", ".DS_Store"})  # lie in a volume that nobody used yet
# What versions without a mark made. A pattern says which names are ours inside a folder; what has
# None is a folder in which nothing is ever deleted by looking.
_MADE: dict[str, file_names.Shape | None] = {
    "media": re.compile(f"{file_names.MEDIA.pattern}|{file_names.PART.pattern}"),
    "clips": re.compile(f"{file_names.CLIP.pattern}|{file_names.PART.pattern}"),
    "fitted": re.compile(f"{file_names.CLIP.pattern}|{file_names.PART.pattern}"),
    "work": file_names.WORK,
    "studio": re.compile(r"[0-9a-f]{32,64}"),
    "models": None,
    "comfyui": re.compile(r"input|output|temp|models|user|latents"),
}
_DATABASE_FILES = re.compile(
    rf"{re.escape(DATABASE_NAME)}(-wal|-shm|-journal|\.lock|\.before-\d{{4}}(\.part)?)?"
    rf"|{re.escape(RECORD_NAME)}"
)
CRASH_NAME = "crash.txt"  # what the newest defect of a command was
_OTHER_FILES = re.compile(rf"{re.escape(CRASH_NAME)}|licences\.(json|new)|studio\.key")
_EVIDENCE = (LOCK_NAME, "licences.json", MARK_NAME)  # one of them is made before anything else
_EMPTY = frozenset({DATABASE_NAME, LOCK_NAME, MARK_NAME})  # ours only where nothing is in them


def claim(folder: Path) -> None:
    """Make ``folder`` a data directory of ours, or see that it is one; else change nothing.

    A folder that is absent or empty is marked. One of an older version is known by its database,
    or by holding nothing that we do not make, and is marked then.

    Raises:
        DataDirectoryForeign: it holds something and does not bear our mark.
        DataDirectoryLink: one of our folders in it leads elsewhere.
        DatabaseDamaged: it is not marked, and the database in it cannot be read.
        StorageProblem: it is no folder, nothing can be made in it, or a pipe has a name of ours.
    """
    with named_troubles(folder):
        for path in folder.iterdir() if folder.is_dir() else ():
            if _is_file_of_ours(path.name):
                require_file(path)  # to open a pipe would wait for ever
        if not is_marked(folder):
            _require_ours(folder)
            make_private_folder(folder)
            put_mark(folder)
        for name in _MADE:
            if name != "models" and (folder / name).is_symlink():
                raise DataDirectoryLink(readable(folder / name))


def is_marked(folder: Path, line: str = MARK) -> bool:
    """Tell whether ``folder`` bears our mark, and ``line`` is one of its lines."""
    mark = folder / MARK_NAME
    if mark.is_symlink() or not mark.is_file():
        return False
    with mark.open("rb") as file:
        lines = file.read(1000).splitlines()
    return lines[:1] == [MARK.encode()] and line.encode() in lines


def put_mark(folder: Path, *lines: str) -> None:
    """Mark ``folder`` as ours; further ``lines`` say what for."""
    path = folder / MARK_NAME
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_TRUNC, PRIVATE_FILE)
    with os.fdopen(handle, "wb") as file:
        file.write("\n".join((MARK, *lines, _REMARK)).encode())
        file.flush()
        os.fsync(file.fileno())


def is_place_of_ours(path: Path, folder: Path, database: Path | None) -> bool:
    """Tell whether ``path`` is for files that we make, so that nobody else may write there.

    Args:
        path: whole, and without links.
        folder: the data directory, likewise.
        database: the file with the rows, where there is one; it may lie elsewhere.
    """
    if database is not None:
        beside = (*journals_of(database), database.with_name(database.name + DATABASE_LOCK_SUFFIX))
        if path in {database, *beside}:
            return True
    if not path.is_relative_to(folder):
        return False
    first, *below = [*path.relative_to(folder).parts, ""]
    names = (_DATABASE_FILES, _OTHER_FILES)
    alone = first in {LOCK_NAME, MARK_NAME} or any(shape.fullmatch(first) for shape in names)
    return first in {*_MADE, "control", ""} or (alone and below == [""])


def remove_data(folder: Path) -> None:
    """Remove the database, clips, inputs and work in ``folder``, and nothing of another name.

    The caller holds its lock.
    """
    for name, shape in _MADE.items():
        if shape is not None and name != "comfyui":
            file_names.remove_entries(folder / name, shape)
    file_names.remove_entries(folder, _DATABASE_FILES)


def _require_ours(folder: Path) -> None:
    """Do nothing where ``folder`` is free for us, or was ours before there were marks.

    Raises:
        DataDirectoryForeign: it is neither.
        DatabaseDamaged: the database in it cannot be read.
    """
    strange = _entries(folder) if folder.exists() else []
    if not strange or is_database_of_ours(folder / DATABASE_NAME):
        return
    evidence = any((folder / name).is_file() for name in _EVIDENCE)
    foreign = next((path for path in strange if not _made_by_us(path)), None)
    hollow = all(path.is_dir() and not _entries(path) for path in strange)  # disks mounted for us
    if foreign is None and (evidence or hollow):
        return
    example = foreign or strange[0]
    raise DataDirectoryForeign(
        path=readable(folder),
        found=readable(Path(example.name)),
        mark=MARK,
        file=readable(folder / MARK_NAME),
    )


def _entries(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.name not in _OF_THE_SYSTEM)


def _made_by_us(path: Path) -> bool:
    if path.is_symlink():
        return False
    if path.is_dir() and path.name in _MADE:
        shape = _MADE[path.name]
        return shape is None or all(shape.fullmatch(item.name) for item in _entries(path))
    if path.name in _EMPTY:
        return path.is_file() and path.stat().st_size == 0
    return path.is_file() and _is_file_of_ours(path.name)


def _is_file_of_ours(name: str) -> bool:
    named = name in _EVIDENCE
    return named or any(shape.fullmatch(name) for shape in (_DATABASE_FILES, _OTHER_FILES))
