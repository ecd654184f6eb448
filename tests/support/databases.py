"""A database file with our tables, made once a process: a copy costs a hundredth of making it."""

import tempfile
from functools import cache
from pathlib import Path

from core.runtime.paths import address_of
from core.runtime.permissions import PRIVATE_FILE, make_private_folder
from core.settings import DATABASE_NAME, Settings
from core.storage.migrations import migrate


def place_database_of(settings: Settings) -> None:
    """Do so where a service with ``settings`` would make one."""
    path = settings.data_dir / DATABASE_NAME
    if settings.database == address_of(path) and not path.exists():
        place_database(path)


def place_database(path: Path) -> None:
    """Write an empty database of the newest schema to ``path``, which is as private as ours."""
    make_private_folder(path.parent)
    path.touch(PRIVATE_FILE)
    path.write_bytes(_made())


@cache
def _made() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.db"
        migrate(path)
        return path.read_bytes()
