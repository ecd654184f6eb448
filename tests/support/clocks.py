"""Clocks that tests set: seconds that pass when told to, and a wall clock that may step."""

from dataclasses import dataclass

from core.runtime.clock import Clock, SteadyClock, now_ms

HOUR_S, DAY_S = 3_600, 86_400
START_MS = 1_700_000_000_000
# how far a wall clock steps, in seconds; the last one is to 1970
STEPS_S = (-25 * HOUR_S, -HOUR_S, -70, 70, HOUR_S, 25 * HOUR_S, 15 * DAY_S, -START_MS // 1000)
BIG_STEPS_S = (-HOUR_S, 25 * HOUR_S, 15 * DAY_S, -START_MS // 1000)


@dataclass
class Seconds:
    """Seconds that pass when a test says so."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Time:
    """Both clocks of a machine, in milliseconds."""

    wall_ms: int = START_MS
    monotonic_ms: int = 5_000
    now: Clock = now_ms  # of the newest process

    def passes(self, seconds: float) -> None:
        self.wall_ms += round(seconds * 1000)
        self.monotonic_ms += round(seconds * 1000)

    def steps(self, seconds: float) -> None:
        self.wall_ms += round(seconds * 1000)

    def boots(self) -> None:
        self.monotonic_ms = 0

    def clock(self) -> SteadyClock:
        """Make the clock of a process that starts now."""
        self.now = SteadyClock(lambda: self.wall_ms, lambda: self.monotonic_ms)
        return self.now
