"""Whose upload is whose: files wait under unguessable ownership until a request takes them in."""

import threading
from collections import OrderedDict
from pathlib import Path

from core.domain.media import MediaFile, MediaKind
from core.domain.media_cut import MediaCut
from core.domain.people import Requester
from core.errors import MediaGone

_OF_ONE = 400  # uploads of each owner; older ones of theirs have to be sent again
_OWNERS = 10_000  # those who have not sent anything for longest are forgotten first
_REMEMBERED = 4000  # admitted files; an older one is looked at again


_Admitted = tuple[str, MediaKind, MediaCut | None]


class Uploads:
    """Owners of the files in the web server's folder; used from its threads and the core's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owned: OrderedDict[str, OrderedDict[str, None]] = OrderedDict()  # paths by owner
        self._admitted: OrderedDict[_Admitted, MediaFile] = OrderedDict()

    def record(self, path: str, owner: Requester) -> None:
        """Remember that ``owner`` sent the file at ``path``."""
        key = _key(path)
        with self._lock:
            theirs = self._owned.setdefault(owner.key, OrderedDict())
            self._owned.move_to_end(owner.key)
            theirs[key] = None
            theirs.move_to_end(key)
            while len(theirs) > _OF_ONE:
                theirs.popitem(last=False)
            while len(self._owned) > _OWNERS:
                self._owned.popitem(last=False)

    def allows(self, path: str, visitor: Requester | None) -> bool:
        """Return whether ``visitor`` sent the file at ``path``."""
        if visitor is None:
            return False
        with self._lock:
            return _key(path) in self._owned.get(visitor.key, ())

    def require(self, path: str, role: str, visitor: Requester) -> Path:
        """Check that ``path`` is the visitor's, and return it.

        Raises:
            MediaGone: somebody else's, or its time is over.
        """
        if not self.allows(path, visitor) or not Path(path).is_file():
            raise MediaGone(role)
        return Path(path)

    def admitted(
        self, path: Path, kind: MediaKind, cut: MediaCut | None = None
    ) -> MediaFile | None:
        """Return what ``cut`` of the file at ``path`` was admitted as, None where not yet."""
        with self._lock:
            return self._admitted.get((_key(str(path)), kind, cut))

    def remember_admitted(
        self, path: Path, kind: MediaKind, file: MediaFile, cut: MediaCut | None = None
    ) -> None:
        """Remember what ``cut`` of the file at ``path``, None: all of it, was admitted as."""
        with self._lock:
            self._admitted[_key(str(path)), kind, cut] = file
            while len(self._admitted) > _REMEMBERED:
                self._admitted.popitem(last=False)


def _key(path: str) -> str:
    try:
        return str(Path(path).resolve())
    except (ValueError, OSError):  # NUL, or longer than any name: the path of no file
        return path
