"""One process per data directory. The kernel drops the lock with the process, however it ends."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from core.errors.setup import DataDirectoryBusy
from core.runtime.permissions import make_private_folder

LOCK_NAME = ".lock"


@contextmanager
def lock(folder: Path) -> Generator[None]:
    """Hold ``folder`` for this process; it is made if it does not exist.

    Raises:
        DataDirectoryBusy: another process, or another call in this one, holds it.
    """
    make_private_folder(folder)
    handle = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataDirectoryBusy(str(folder)) from None
        yield
    finally:
        os.close(handle)
