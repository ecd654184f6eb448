"""The time, as a callable: the real ones here, tests pass their own."""

import time
from collections.abc import Callable
from typing import TypeAlias

Clock: TypeAlias = Callable[[], int]  # milliseconds; epoch unless said otherwise
STEP_MS = 2_000  # between two looks at a server's clock, more is a step
_SINCE_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # the former on Linux only
NEAR_MS = 5_000  # a wall clock that is nearer than this is followed: it is being set with care


def now_ms() -> int:
    """Return the wall clock's time in epoch milliseconds; it may step in either direction."""
    return time.time_ns() // 1_000_000


def monotonic_ms() -> int:
    """Return milliseconds since some moment; they never step, and mean nothing to other boots."""
    return time.monotonic_ns() // 1_000_000


def boot_ms() -> int:
    """Return milliseconds that go on also while this machine sleeps; else as monotonic_ms."""
    return time.clock_gettime_ns(_SINCE_BOOT) // 1_000_000


def boot_s() -> float:
    """Return seconds that go on also while this machine sleeps."""
    return time.clock_gettime(_SINCE_BOOT)


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


class DatabaseClock:
    """Epoch milliseconds of a server that several machines go by, counted on between two answers.

    No wall clock of this machine is read. It goes back only where the server's did, by a step.
    """

    def __init__(self, monotonic: Clock = boot_ms) -> None:
        """Take the clock that counts on; :meth:`follow` says where it begins."""
        self._monotonic = monotonic
        self._ahead = 0
        self._last = 0

    def __call__(self) -> int:
        """Return the time in epoch milliseconds."""
        self._last = max(self._last, self._monotonic() + self._ahead)
        return self._last

    def away_ms(self, told_ms: int, asked_ms: int, answered_ms: int) -> int:
        """Return how far the server is ahead of this clock.

        Args:
            told_ms: what it answered.
            asked_ms: when it was asked, on the clock that counts on.
            answered_ms: when the answer came, on the same.
        """
        return told_ms - (asked_ms + answered_ms) // 2 - self._ahead

    def follow(self, away_ms: int) -> None:
        """Go by the server from now on, which was ``away_ms`` ahead."""
        self._ahead += away_ms
        if away_ms < -STEP_MS:
            self._last = 0
