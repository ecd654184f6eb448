"""The time, as a callable: the real ones here, tests pass their own."""

import time
from collections.abc import Callable
from typing import TypeAlias

Clock: TypeAlias = Callable[[], int]  # milliseconds; epoch unless said otherwise
NEAR_MS = 5_000  # a wall clock that is nearer than this is followed: it is being set with care


def now_ms() -> int:
    """Return the wall clock's time in epoch milliseconds; it may step in either direction."""
    return time.time_ns() // 1_000_000


def monotonic_ms() -> int:
    """Return milliseconds since some moment; they never step, and mean nothing to other boots."""
    return time.monotonic_ns() // 1_000_000


class SteadyClock:
    """Epoch milliseconds that never step and never go back, whatever the wall clock does.

    It reads the wall clock once and counts on with the monotonic one. Where the wall clock steps,
    everything that is measured goes on as if nothing had happened, until :meth:`adopt`.
    """

    def __init__(self, wall: Clock = now_ms, monotonic: Clock = monotonic_ms) -> None:
        """Take both clocks."""
        self._wall = wall
        self._monotonic = monotonic
        self._ahead = wall() - monotonic()
        self._last = self._monotonic() + self._ahead

    def __call__(self) -> int:
        """Return the time in epoch milliseconds."""
        steady = self._monotonic() + self._ahead
        away = self._wall() - steady
        if abs(away) <= NEAR_MS:
            self._ahead += away
            steady += away
        self._last = max(self._last, steady)
        return self._last

    @property
    def away_ms(self) -> int:
        """Return how far the wall clock is ahead of this one; 0 where it is near."""
        away = self._wall() - self._monotonic() - self._ahead
        return 0 if abs(away) <= NEAR_MS else away

    def adopt(self) -> int:
        """Go by the wall clock again, in one step; return by how much, in milliseconds."""
        before = self()
        self._ahead = self._wall() - self._monotonic()
        self._last = self._monotonic() + self._ahead
        return self._last - before


class MeasuredClock:
    """Epoch milliseconds of another machine, as far as they are known; they never go back."""

    def __init__(self, wall: Clock = now_ms, monotonic: Clock = monotonic_ms) -> None:
        """Go by ``wall`` until the other machine was asked."""
        self._monotonic = monotonic
        self._ahead = wall() - monotonic()
        self._last = 0

    def __call__(self) -> int:
        """Return the time in epoch milliseconds."""
        self._last = max(self._last, self._monotonic() + self._ahead)
        return self._last

    def measured(self, asked: int, theirs: int) -> None:
        """Take over what the other machine answered.

        Args:
            asked: the monotonic time before the question; its way is taken to be half of the wait.
            theirs: epoch milliseconds.
        """
        self._ahead = theirs - (asked + self._monotonic()) // 2

    def ask_at(self) -> int:
        """Return the monotonic time, for :meth:`measured`."""
        return self._monotonic()
