"""Put a backup in the place of the data: checked before, and what was there is kept aside."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from core.app.backup import file_of_rows, link_or_copy
from core.app.backup_contents import FOLDERS, KEYS, Backup, check_backup, check_bytes
from core.app.maintenance import make_folders
from core.errors import SetupProblem
from core.runtime import file_names
from core.runtime.atomic_files import PART
from core.runtime.clock import Clock, now_ms
from core.runtime.paths import readable
from core.runtime.permissions import make_private, make_private_folder
from core.settings import DATABASE_NAME, Settings
from core.storage.backup import copy_database, doubt_deliveries
from core.storage.disk_probes import journals_of
from core.storage.lock import lock, lock_database
from core.storage.record import RECORD_NAME
from core.storage.trouble import named_troubles


class RestoreRefused(SetupProblem):
    """There is a database, or there are clips or inputs, and nobody said to replace them."""

    path: str


def restore_backup(
    settings: Settings, folder: Path, *, force: bool, clock: Clock = now_ms
) -> tuple[Backup, Path | None]:
    """Put the backup ``folder`` in the place of database, clips and inputs.

    Args:
        settings: of the installation; no service runs on it.
        folder: of :func:`core.app.backup.make_backup`; it stays as it is.
        force: what is there may be moved aside.
        clock: names the folder of what was there.

    Returns:
        What was restored, and where that lies which was there; None where nothing was.

    Raises:
        BackupDamaged: it is none, or not whole.
        RowsOnServer: PostgreSQL keeps the rows.
        DatabaseDamaged: its database does not pass SQLite's check.
        SchemaTooNew: a newer Clapper made it.
        DataDirectoryBusy: a service runs there.
        DatabaseInUse: a service uses the database.
        RestoreRefused: something is there, and ``force`` was not given.
        StorageProblem: something cannot be read or written.
    """
    data_dir, database = settings.data_dir, file_of_rows(settings).resolve()
    with named_troubles(folder):
        backup = check_backup(folder.resolve())
    check_bytes(backup)
    make_folders(settings)
    with lock(data_dir), named_troubles(data_dir):
        there = _there(data_dir, database)
        if there and not force:
            raise RestoreRefused(readable(there[0]))
        with lock_database(database):
            remove_unfinished(data_dir, database)
            incoming = data_dir / f"{PART}{uuid4().hex}-restore"
            draft = database.with_name(f"{PART}{uuid4().hex}-{database.name}")
            try:
                _bring(backup, incoming, draft)  # from here on only names change
                aside = _move_aside(data_dir, [*there, *_strange(data_dir, there)], clock())
                _put(incoming, data_dir)
                (data_dir / RECORD_NAME).unlink(missing_ok=True)  # it was of the one before
                draft.replace(database)  # last: with it everything is there
            finally:
                shutil.rmtree(incoming, ignore_errors=True)
                draft.unlink(missing_ok=True)
    return backup, aside


def remove_unfinished(data_dir: Path, database: Path | None) -> None:
    """Remove what a restore that was killed had brought; only while nobody else uses the data.

    The backup has all of it still.
    """
    for folder in file_names.entries_of(data_dir, file_names.RESTORED):
        file_names.remove_folder(folder)
    if database is not None:
        for draft in file_names.files_of(database.parent, file_names.PART):
            if draft.name.endswith(f"-{database.name}"):
                draft.unlink(missing_ok=True)


def _there(data_dir: Path, database: Path) -> list[Path]:
    """List what the backup would replace."""
    names = [database, *journals_of(database)]
    found = [path for path in names if path.is_file() and path.stat().st_size]
    kept = [data_dir / name for name, shape in FOLDERS.items()
            if file_names.files_of(data_dir / name, shape)]  # fmt: skip
    keys = [data_dir / name for name in KEYS if (data_dir / name).is_file()]
    return [*found, *kept, *keys] if found or kept else []


def _strange(data_dir: Path, there: list[Path]) -> list[Path]:
    """List the folders to be replaced that hold nothing but what a person put there."""
    folders = (data_dir / name for name in FOLDERS)
    return [one for one in folders if one not in there and any(one.iterdir())]


def _bring(backup: Backup, incoming: Path, draft: Path) -> None:
    """Have everything of ``backup`` on the disks where it goes, before anything moves."""
    make_private_folder(incoming)
    copy_database(backup.folder / DATABASE_NAME, draft)
    doubt_deliveries(draft)
    for name in FOLDERS:
        make_private_folder(incoming / name)
    for name in backup.files:
        if name.partition("/")[0] in FOLDERS or name in KEYS:
            link_or_copy(backup.folder / name, incoming / name)
    make_private(incoming)


def _move_aside(data_dir: Path, there: list[Path], now: int) -> Path | None:
    if not there:
        return None
    moment = datetime.fromtimestamp(now / 1000, UTC)
    aside = data_dir / f"before-restore-{moment:%Y%m%d-%H%M%S}-{uuid4().hex[:6]}"
    make_private_folder(aside)
    for path in there:  # the database first: clips without one are told at the next start
        shutil.move(path, aside / path.name)
    return aside


def _put(incoming: Path, data_dir: Path) -> None:
    for name in FOLDERS:
        target = data_dir / name
        if target.is_dir():
            target.rmdir()
        (incoming / name).replace(target)
    for name in KEYS:
        if (incoming / name).is_file():
            (incoming / name).replace(data_dir / name)
