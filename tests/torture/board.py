"""The board of faults: tells the library of preload.c, from outside, what shall break and when."""

import mmap
import struct
from pathlib import Path

WRITES, LOCKS = 0, 1  # to the database: what is counted
_FIELDS = ("until", "failing", "fault", "kind", "deaths", "seen", "struck")  # each a C long
_LAYOUT = struct.Struct(f"@{len(_FIELDS)}l")
_NEVER = -1


class Board:
    """A file in the memory of this process and of those that were started with it."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(_LAYOUT.pack(_NEVER, *[0] * (len(_FIELDS) - 1)))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), _LAYOUT.size)

    def arm(self, after: int, times: int, error: int, kind: int = WRITES) -> None:
        """Let ``after`` calls pass, then fail ``times`` of them with the errno ``error``."""
        _LAYOUT.pack_into(self._memory, 0, after, times, error, kind, 0, 0, 0)

    def kill_at(self, after: int, deaths: int) -> None:
        """Let ``after`` writes pass and kill the process at the next; so many lives, in turn."""
        _LAYOUT.pack_into(self._memory, 0, after, 0, 0, WRITES, deaths, 0, 0)

    def disarm(self) -> int:
        """Let everything pass; return how many calls failed, or lives ended."""
        struck = self.struck
        _LAYOUT.pack_into(self._memory, 0, _NEVER, *[0] * (len(_FIELDS) - 1))
        return struck

    @property
    def struck(self) -> int:
        """Return how many calls have failed since the arming, or how many lives have ended."""
        return _LAYOUT.unpack_from(self._memory)[_FIELDS.index("struck")]

    @property
    def seen(self) -> int:
        """Return how many calls were counted since the arming, or in the last life."""
        return _LAYOUT.unpack_from(self._memory)[_FIELDS.index("seen")]
