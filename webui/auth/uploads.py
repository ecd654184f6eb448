"""Whose upload is whose: files wait under unguessable ownership until a request takes them in."""

import threading
from collections import OrderedDict
from pathlib import Path

from core.domain.media import MediaFile, MediaKind
from core.domain.people import Requester
from core.errors import ClapperError, MediaGone

_REMEMBERED = 4000  # uploads; older ones have to be sent again

Taken = MediaFile | ClapperError  # what became of a file, so that it is decoded once


class Uploads:
    """Owners of the files in the web server's folder; used from its threads and the core's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owners: OrderedDict[str, str] = OrderedDict()
        self._taken: OrderedDict[tuple[str, MediaKind], Taken] = OrderedDict()

    def record(self, path: str, owner: Requester) -> None:
        """Remember that ``owner`` sent the file at ``path``."""
        key = _key(path)
        with self._lock:
            self._owners[f"{key}\n{owner.key}"] = owner.key
            while len(self._owners) > _REMEMBERED:
                self._owners.popitem(last=False)

    def allows(self, path: str, visitor: Requester | None) -> bool:
        """Return whether ``visitor`` sent the file at ``path``."""
        if visitor is None:
            return False
        with self._lock:
            return f"{_key(path)}\n{visitor.key}" in self._owners

    def require(self, path: str, role: str, visitor: Requester) -> Path:
        """Return ``path`` for its owner.

        Raises:
            MediaGone: somebody else's, or its time is over.
        """
        if not self.allows(path, visitor) or not Path(path).is_file():
            raise MediaGone(role)
        return Path(path)

    def taken(self, path: Path, kind: MediaKind) -> Taken | None:
        """Return what became of the file at ``path``, where that is known."""
        with self._lock:
            return self._taken.get((_key(str(path)), kind))

    def take(self, path: Path, kind: MediaKind, outcome: Taken) -> None:
        """Remember what became of the file at ``path``."""
        with self._lock:
            self._taken[_key(str(path)), kind] = outcome
            while len(self._taken) > _REMEMBERED:
                self._taken.popitem(last=False)


def _key(path: str) -> str:
    try:
        return str(Path(path).resolve())
    except (ValueError, OSError):  # NUL, or longer than any name: the path of no file
        return path
