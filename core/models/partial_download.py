"""An unfinished download: bytes on the disk that survive a restart, and their running SHA-256."""

import hashlib
import os
from pathlib import Path

from core.runtime.permissions import hand_over, make_folder_for_people

_READ_BYTES = 33_554_432
_SYNC_BYTES = 268_435_456  # so that the last sync is short, and a full disk is noticed early


class PartialDownload:
    """The bytes of one file so far. All methods touch the disk: call them in a thread.

    ``size`` counts the bytes that are part of the hash. On a new object, call
    :meth:`hash_next_block` until it returns False: an earlier attempt may have left bytes.
    """

    def __init__(self, path: Path) -> None:
        make_folder_for_people(path.parent)  # other programs share the hub cache
        fresh = not path.exists()
        self._file = path.open("ab+")
        if fresh:
            hand_over(path)
        self._hash = hashlib.sha256()
        self._synced = 0
        self.size = 0

    @property
    def sha256(self) -> str:
        """Return the hash of the bytes so far, in hex."""
        return self._hash.hexdigest()

    def hash_next_block(self) -> bool:
        """Hash the next block that an earlier attempt left; return whether there was one."""
        self._file.seek(self.size)
        block = self._file.read(_READ_BYTES)
        self._count(block)
        self._synced = self.size
        return bool(block)

    def write(self, block: bytes) -> None:
        """Append ``block``.

        Raises:
            OSError: the disk is full; what fits stays, and the object must not be used further.
        """
        self._file.write(block)
        self._count(block)
        if self.size - self._synced >= _SYNC_BYTES:
            self.sync()

    def restart(self) -> None:
        """Forget all bytes."""
        self._file.flush()
        self._file.truncate(0)
        self._hash = hashlib.sha256()
        self._synced = 0
        self.size = 0

    def sync(self) -> None:
        """Wait until the bytes are on the disk, so that a rename never shows a hollow file."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._synced = self.size

    def close(self) -> None:
        """Close the file; its bytes stay for the next attempt."""
        self._file.close()

    def _count(self, block: bytes) -> None:
        self._hash.update(block)
        self.size += len(block)
