"""Convert frames at any times to a fixed rate: each tick shows the frame nearest to it."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def resample_frames(timed: Iterable[tuple[float, T]], fps: float, ticks: int) -> Iterator[T]:
    """Yield exactly ``ticks`` frames, repeating or leaving out frames as their times ask.

    Args:
        timed: (seconds from the start, frame), in the order of display; a time that goes
            backwards counts as the latest one so far.
        fps: ticks a second.
        ticks: how many; the first frame begins them and the last is held to their end, whatever
            the times claim.

    Yields:
        The frame of tick 0, 1, 2 …; nothing if there is no frame at all.
    """
    tick = 0
    latest = 0.0
    shown: T | None = None
    for time, frame in timed:
        latest = max(latest, time)
        # a frame rules from half a tick before its own time
        while shown is not None and tick < ticks and tick + 0.5 <= latest * fps:
            yield shown
            tick += 1
        if tick >= ticks:
            return
        shown = frame
    while shown is not None and tick < ticks:
        yield shown
        tick += 1
