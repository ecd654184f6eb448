"""Choose a fixed rate for frames at any times, and convert them to it.

Each tick shows the frame nearest to it.
"""

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import TypeVar

T = TypeVar("T")

_LEAST_FPS = 8
_LEAST_GAP_S = 1e-4  # two fields or layers at one time are one frame
_ALIKE = 1.75  # times the shorter gaps: 2:3 pulldown and jitter are within, a frame left out is not
# so many gaps within so much of the usual one: the others are slips, like the first frame of a
# fragmented MP4, which waits for the sound's encoder
_NEARLY_ALL, _SAME, _ROUNDING_S = 0.9, 0.02, 0.0011
_EXACT_SHARE = 1e-4  # a tenth of what lies between 29.97 and 30
_USUAL_RATES = [
    *(Fraction(whole) for whole in range(1, 501)),
    *(Fraction(whole * 1000, 1001) for whole in (24, 30, 48, 60, 120, 240)),
]


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


def choose_rate(times: Sequence[float], highest: float) -> Fraction:
    """Choose the rate for a film whose frames begin at ``times``: that of its busy part.

    Where all gaps are alike it is their mean. Screen recorders write nothing while nothing moves,
    and phones drop frames in the dark: gaps much longer than the shorter ones do not count.

    Args:
        times: seconds, in any order.
        highest: fps of the result; a faster film gets a whole part of its rate.

    Returns:
        At least 8 fps; a usual rate where the gaps mean it.
    """
    ordered = sorted(times)
    gaps = sorted(b - a for a, b in itertools.pairwise(ordered) if b - a > _LEAST_GAP_S)
    if not gaps:
        return Fraction(_LEAST_FPS)
    busy = [gap for gap in gaps if gap <= _ALIKE * gaps[len(gaps) // 10]]
    typical = busy[len(busy) // 2]
    same = [gap for gap in busy if abs(gap - typical) <= max(_ROUNDING_S, _SAME * typical)]
    busy = same if len(same) >= _NEARLY_ALL * len(busy) else busy
    measured = len(busy) / sum(busy)
    if len(busy) == len(gaps):
        measured = len(gaps) / (ordered[-1] - ordered[0])
    rate = _usual_rate(measured, sum(busy))
    rate = max(rate, Fraction(1, 100))
    rate /= max(1, math.ceil(rate / highest - 0.01))
    return rate * max(1, math.ceil(_LEAST_FPS / rate))


def _usual_rate(measured: float, seconds: float) -> Fraction:
    """Return the usual rate that is meant by one that was measured over ``seconds``, or itself.

    Time stamps are rounded, to 10 ms at worst.
    """
    leeway = measured * (0.0005 + 0.01 / max(seconds, 1))
    near = [usual for usual in _USUAL_RATES if abs(usual - measured) < leeway]
    exact = [usual for usual in near if abs(usual - measured) < measured * _EXACT_SHARE]
    if exact:
        return exact[0]
    if near:
        return min(near, key=lambda usual: (usual.denominator, abs(usual - measured)))
    return Fraction(measured).limit_denominator(1001)
