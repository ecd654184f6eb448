"""See that what has the name of a file of ours is one, before anybody opens it and waits."""

import os
import stat
from pathlib import Path

from core.errors.storage import NotAFile, StorageGone
from core.runtime.paths import readable


def require_file(path: Path) -> None:
    """See that ``path`` is a file, or nothing yet; a folder is told by whoever opens it.

    Raises:
        NotAFile: it is a pipe, a socket or a device.
        StorageGone: it is a link to what is not there, e.g. on a disk that is not mounted.
    """
    if not os.path.lexists(path):
        return
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise StorageGone(where_led(path)) from None
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise NotAFile(readable(path))


def where_led(link: Path) -> str:
    """Return ``link`` and what it names, for people."""
    return f"{readable(link)} → {readable(link.readlink())}"
