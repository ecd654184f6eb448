"""Times that only go on, for streams whose clocks start again in the middle.

Recorders of television and cameras write one transport stream after another into a file.
"""

from dataclasses import dataclass

_RESTARTING = frozenset({"mpegts", "mpeg"})  # ffmpeg's names of the demuxers
_BACK_S = 1.0  # a step back by more is a new beginning; pictures are coded out of order by less


@dataclass(slots=True)
class Timeline:
    """Puts what begins again behind what there was.

    Args:
        reader: ffmpeg's name of the demuxer; in other containers times are what they are.
    """

    reader: str
    _shift: float = 0.0
    _latest: float | None = None
    _gap: float = 0.0  # between the latest two

    def place(self, time: float) -> float:
        """Return where ``time`` (s, as it is in the file) lies."""
        placed = time + self._shift
        if self._latest is None:
            self._latest = placed
        elif self.reader in _RESTARTING and placed < self._latest - _BACK_S:
            self._shift += self._latest + self._gap - placed
            placed = self._latest = self._latest + self._gap
        elif placed > self._latest:
            self._gap, self._latest = placed - self._latest, placed
        return placed
