"""What a backup holds, and whether it is whole."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from core.domain.decoding import decode
from core.errors import SetupProblem
from core.runtime import file_names
from core.runtime.atomic_files import sha256_of
from core.runtime.paths import readable
from core.settings import DATABASE_NAME
from core.storage.backup import DatabaseContents, digests_of, examine_database
from core.storage.claim import MARK_NAME, is_marked
from core.storage.trouble import named_troubles

MARK_LINE = "backup of a data directory"
LIST_NAME = "backup.json"
FOLDERS = {"clips": file_names.CLIP, "media": file_names.MEDIA}
KEYS = ("studio.key", "licences.json")  # beside the folders, where there are any


class BackupDamaged(SetupProblem):
    """The backup is no folder of ours, or not whole: ``what`` is missing or another one."""

    path: str
    what: str


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was checked: where it is, what it holds."""

    folder: Path
    contents: DatabaseContents
    files: dict[str, int]  # names below the folder, and bytes
    made_at_ms: int
    absent: int  # clips that rows name and that had no file, when it was made

    @property
    def size_bytes(self) -> int:
        """Return the bytes of all its files."""
        return sum(self.files.values())


def check_backup(folder: Path) -> Backup:
    """See that ``folder`` is a backup and whole.

    Raises:
        BackupDamaged: it is none, or something of it is missing.
        DatabaseDamaged: its database does not pass SQLite's check.
        SchemaTooNew: a newer Clapper made it.
        StorageProblem: it cannot be read.
    """
    with named_troubles(folder):
        if not is_marked(folder, MARK_LINE):
            raise BackupDamaged(readable(folder), readable(folder / LIST_NAME))
        listed, real = _listed(folder), folder.resolve()
        for name, size in listed.files.items():
            file = folder / name  # nothing that a link leads to, inside or outside, is of a backup
            if file.resolve() != real / name or not file.is_file() or file.stat().st_size != size:
                raise BackupDamaged(readable(folder), name)
        contents = examine_database(folder / DATABASE_NAME)
        if asdict(contents) != listed.contents:
            raise BackupDamaged(readable(folder), DATABASE_NAME)
    return Backup(folder, contents, listed.files, listed.made_at_ms, listed.absent)


def check_bytes(backup: Backup) -> None:
    """See that the clips and inputs of ``backup`` are what rows and names say; reads all of them.

    Raises:
        BackupDamaged: one is not.
        StorageProblem: it cannot be read.
    """
    clips = {f"clips/{name}": found for name, found in digests_of(backup.folder / DATABASE_NAME)}
    with named_troubles(backup.folder):
        for name in backup.files:
            known = clips.get(name)
            if name.startswith("media/"):
                known = name.removeprefix("media/").partition(".")[0]  # named by its content
            if known is not None and sha256_of(backup.folder / name) != known:
                raise BackupDamaged(readable(backup.folder), name)


@dataclass(frozen=True, slots=True)
class _Listed:
    """What the list of a backup says."""

    made_at_ms: int
    contents: dict[str, int]
    files: dict[str, int]  # bytes
    absent: int


def _listed(folder: Path) -> _Listed:
    """Read the list of a backup.

    Raises:
        BackupDamaged: there is none, it cannot be read, or it names what no backup holds.
    """
    try:
        found = decode(_Listed, json.loads((folder / LIST_NAME).read_text("utf-8")))
    except (FileNotFoundError, ValueError, RecursionError):
        raise BackupDamaged(readable(folder), LIST_NAME) from None
    for name in found.files:
        if not _is_of_backup(name):
            raise BackupDamaged(readable(folder), name[:200])
    return found


def _is_of_backup(name: str) -> bool:
    """Tell whether a backup may hold a file of this name; it becomes a path of the data."""
    place, _, rest = name.partition("/")
    if place in FOLDERS and FOLDERS[place].fullmatch(rest):
        return True
    return name in {MARK_NAME, DATABASE_NAME, *KEYS}
