"""The files that the schema is made of, and which of them a database has.

SQLite: ``migrations/NNNN_words.sql``; PostgreSQL: ``migrations/postgresql/NNNN_words.sql``, which
begins where those end; then, for both, alembic's revisions ``migrations/versions/NNNN_words.py``.
All are forward only and never edited: what was applied is remembered with its checksum.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from core.errors.setup import MigrationChanged
from core.settings import PROJECT_ROOT

MIGRATIONS = PROJECT_ROOT / "migrations"
SQLITE, POSTGRESQL = "sqlite", "postgresql"
_FILES = {SQLITE: ".", POSTGRESQL: "postgresql"}
_REVISIONS = "versions"
_NAME = re.compile(r"(\d{4})_\w+\.(?:sql|py)")

Applied: TypeAlias = dict[int, tuple[str, str]]  # names and checksums by number


@dataclass(frozen=True, slots=True)
class Migration:
    """One file; ``checksum`` is the SHA-256 of its text."""

    number: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """Return what is remembered of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def is_revision(self) -> bool:
        """Tell whether alembic applies it."""
        return self.name.endswith(".py")


@dataclass(frozen=True, slots=True)
class SchemaState:
    """How far a database is, and how far this program."""

    found: int  # the newest migration that it has; 0 without tables
    known: int
    pending: tuple[str, ...]  # names of the migrations that it lacks
    whole: bool = True  # nobody is copying rows into it
    empty: bool = True  # no job was ever accepted, as far as that was asked


def read_migrations(folder: Path = MIGRATIONS, dialect: str = SQLITE) -> list[Migration]:
    """Read the migrations of ``folder`` for ``dialect`` in order.

    Raises:
        ValueError: two files have the same number, or one has no number.
    """
    found: list[Migration] = []
    for path in sorted((folder / _FILES[dialect]).glob("*.sql")):
        _append(found, path)
    begun = found[-1].number if found else 0
    for path in sorted((folder / _REVISIONS).glob("*.py")):
        if not path.name.startswith(f"{begun:04d}_"):  # alembic's name for the files so far
            _append(found, path)
    return found


def _append(found: list[Migration], path: Path) -> None:
    match = _NAME.fullmatch(path.name)
    if match is None or (found and found[-1].number >= int(match[1])):
        raise ValueError(f"not a migration of its own number: {path.name}")
    found.append(Migration(int(match[1]), path.name, path.read_text("utf-8")))


def newest_of(known: list[Migration]) -> int:
    """Return the number of the newest migration; 0 where there are none."""
    return known[-1].number if known else 0


def compare(applied: Applied, known: list[Migration]) -> None:
    """Compare what was applied, as far as it is ours.

    Raises:
        MigrationChanged: an applied migration has other text now, or is gone.
    """
    ours = {migration.number: migration.checksum for migration in known}
    for number, (name, checksum) in sorted(applied.items()):
        if number <= newest_of(known) and ours.get(number) != checksum:
            raise MigrationChanged(name)
