"""Whether a process of ours uses the data directory, told by its lock."""

from core.errors import ClapperError
from core.errors.setup import DataDirectoryBusy
from core.settings import Settings
from core.storage.lock import LOCK_NAME, DirectoryHold, lock


def is_running(settings: Settings) -> bool:
    """Return whether another process uses the data directory."""
    if not (settings.data_dir / LOCK_NAME).exists():
        return False
    try:
        with lock(settings.data_dir, DirectoryHold.LOOKED_AT):
            return False
    except DataDirectoryBusy:
        return True
    except (ClapperError, OSError):  # the look at the database says what is wrong there
        return False
