"""The artefacts that a node has of a bucket: where its files lie anyway, and no more than fit.

Clips that were encoded here and inputs that were admitted here lie there too. Whatever a bucket
keeps may go for want of room, the least recently used first; what only this node has never does.
"""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from core.artefacts.folder import FOLDERS
from core.artefacts.names import ORIGINAL
from core.runtime import file_names

log = structlog.get_logger(__name__)

# longer than a delivery or an upload to a chat takes (300 s each): whoever was given a file a
# moment ago may be about to open it
JUST_USED_S = 900.0


@dataclass(frozen=True, slots=True, order=True)
class _CachedFile:
    used_s: float  # epoch
    size_bytes: int
    name: str


class NodeCache:
    """The files of one data directory; its methods may block, and are called from threads."""

    def __init__(self, data_dir: Path, limit_bytes: int, just_used_s: float = JUST_USED_S) -> None:
        """Hold at most ``limit_bytes``, beside what was used less than ``just_used_s`` ago."""
        self.data_dir = data_dir
        self._limit_bytes = limit_bytes
        self._just_used_s = just_used_s
        self._pinned: Counter[str] = Counter()  # by the stem that a clip shares with its copies
        self._lock = threading.Lock()  # of a file that goes and one that is asked for

    def place(self, name: str) -> Path:
        """Return where the artefact ``name`` lies, or would."""
        return self.data_dir / name

    def use(self, name: str) -> bool:
        """Note that the artefact is used now; return whether it is here."""
        place = self.place(name)
        with self._lock, suppress(FileNotFoundError):
            os.utime(place, ns=(time.time_ns(), place.stat().st_mtime_ns))
            return True
        return False

    @contextmanager
    def in_use(self, *names: str) -> Generator[None]:
        """Keep ``names`` here until the block ends."""
        stems = [_stem(name) for name in names]
        with self._lock:
            self._pinned.update(stems)
        try:
            yield
        finally:
            with self._lock:
                self._pinned.subtract(stems)
                self._pinned += Counter[str]()  # forget what nobody uses

    def make_room(self, need_bytes: int, is_kept: Callable[[str], bool]) -> int:
        """Remove the least recently used until ``need_bytes`` more fit.

        Args:
            need_bytes: of the file that comes.
            is_kept: asked whether the bucket has an artefact; without it, it stays.

        Returns:
            The bytes that went.
        """
        files = self._files()
        excess = sum(file.size_bytes for file in files) + need_bytes - self._limit_bytes
        return self.drop(excess, is_kept, files)

    def drop(
        self, excess: int, is_kept: Callable[[str], bool], files: list[_CachedFile] | None = None
    ) -> int:
        """Remove ``excess`` bytes or more, in the same order and with the same care."""
        gone = 0
        for file in sorted(self._files() if files is None else files):
            if gone >= excess:
                break
            if not self._is_idle(file):
                continue  # without asking the bucket
            kept_elsewhere = not ORIGINAL.fullmatch(file.name) or is_kept(file.name)
            if kept_elsewhere and self._remove(file):
                gone += file.size_bytes
        if gone:
            log.info("cache_made_room", gone_bytes=gone)
        return gone

    def _files(self) -> list[_CachedFile]:
        found: list[_CachedFile] = []
        for folder, shape in FOLDERS.items():
            for path in file_names.files_of(self.data_dir / folder, shape):
                with suppress(FileNotFoundError):
                    status = path.stat()
                    name = f"{folder}{path.name}"
                    found.append(_CachedFile(status.st_atime, status.st_size, name))
        return found

    def _is_idle(self, file: _CachedFile) -> bool:
        return not self._pinned[_stem(file.name)] and file.used_s < time.time() - self._just_used_s

    def _remove(self, file: _CachedFile) -> bool:
        place = self.place(file.name)
        with self._lock, suppress(FileNotFoundError):
            now = _CachedFile(place.stat().st_atime, file.size_bytes, file.name)
            if self._is_idle(now):  # nobody asked for it since
                place.unlink()
                return True
        return False


def _stem(name: str) -> str:
    return file_names.clip_stem(name.rpartition("/")[2])
