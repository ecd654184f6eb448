"""Notice steps of the clock, and let nothing expire or be deleted because of one.

Ages are differences of stored times, so a step makes everything older at once. While the process
runs, a step is seen: the wall clock and the monotonic one disagree. Over a restart it cannot be
told from a service that was off; a long gap is treated as a step until the time is confirmed.
"""

from dataclasses import dataclass
from math import inf

import structlog

from core.domain.time_units import DAY_MS, HOUR_MS, MINUTE_MS
from core.queue.transitions import QueueRules
from core.runtime.clock import Clock, DatabaseClock, SteadyClock
from core.storage import stepped_times
from core.storage.database import Connection, Database

log = structlog.get_logger(__name__)

STEPPING = (SteadyClock, DatabaseClock)  # what goes by a clock that somebody may set
SETTLED_MS = 10 * MINUTE_MS  # a wall clock that stays away for so long is believed
GAP_MS = HOUR_MS  # between two looks, a minute apart while the service runs
LONG_GAP_MS = 7 * DAY_MS  # off for so long: is it true?
CONFIRMED_MS = DAY_MS  # of running, after which a long gap is believed


@dataclass(frozen=True, slots=True)
class StepRules:
    """How far ahead of now stored times of each kind may lie, in milliseconds."""

    window_ms: int = DAY_MS
    wait_limit_ms: int = DAY_MS
    hold_ms: int = DAY_MS
    retry_ms: int = 15 * MINUTE_MS

    @classmethod
    def of(cls, queue: QueueRules, hold_ms: int, retry_ms: int) -> "StepRules":
        """Take what the rules of the parts say."""
        return cls(queue.quota.window_ms, queue.wait_limit_ms, hold_ms, retry_ms)


class TimeGuard:
    """Says whether ages may be believed. With a clock that cannot step they always may."""

    def __init__(self, database: Database, clock: Clock, rules: StepRules) -> None:
        """Take the clock that everybody goes by."""
        self._database = database
        self._clock = clock
        self._rules = rules
        self.left_at_ms: int | None = None  # when the last process looked last
        self._seen: int | None = None  # the time at the last look
        self._expiry_hold_ms = 0  # of running, until jobs that wait may expire
        self._prune_hold_ms = 0  # of running, until anything may be deleted for its age
        self._away: tuple[int, int] | None = None  # how far off the wall clock is, and since when

    @property
    def may_expire(self) -> bool:
        """Tell whether a job may end because it waited too long."""
        return self._expiry_hold_ms <= 0

    @property
    def may_prune(self) -> bool:
        """Tell whether something may be deleted because it is old."""
        return self._prune_hold_ms <= 0 and self._away is None

    async def open(self) -> int:
        """Compare the time with what the last process left; call it before anything is due.

        Returns:
            By how much the clock went on, in milliseconds, where that is doubted; else 0.
        """
        async with self._database.transaction() as connection:
            kept = await stepped_times.read_guard(connection)
            now = self._clock()
            self.left_at_ms = kept.get("seen_ms")
            if not isinstance(self._clock, STEPPING):
                await stepped_times.write_guard(connection, {"seen_ms": now})
                return 0
            self._expiry_hold_ms = kept.get("expiry_hold_ms", 0)
            self._prune_hold_ms = kept.get("prune_hold_ms", 0)
            seen = kept.get("seen_ms", now)
            gap = now - seen
            self._doubt(gap)
            if gap > GAP_MS:
                await stepped_times.extend_holds(connection, seen, gap)
            await self._cap(connection, now)
            self._seen = now
            await stepped_times.write_guard(connection, self._values(now))
        doubted = gap > LONG_GAP_MS or gap < -MINUTE_MS
        return gap if doubted else 0

    async def look(self) -> None:
        """Compare the clocks; call it every minute, before anything expires or is deleted."""
        if not isinstance(self._clock, STEPPING) or self._seen is None:
            return
        if isinstance(self._clock, SteadyClock):
            await self._adopt_settled(self._clock)
        now = self._clock()
        ran = max(0, now - self._seen)
        if ran > GAP_MS:  # stopped, or asleep
            self._doubt(ran)
        self._expiry_hold_ms = max(0, self._expiry_hold_ms - min(ran, GAP_MS))
        self._prune_hold_ms = max(0, self._prune_hold_ms - min(ran, GAP_MS))
        back = now < self._seen - MINUTE_MS
        self._seen = now
        async with self._database.transaction(turn=back) as connection:
            if back:  # a server's clock was set back
                log.warning("clock_went_back")
                await self._cap(connection, now)
            await stepped_times.write_guard(connection, self._values(now))

    async def _cap(self, connection: Connection, now: int) -> None:
        rules = self._rules
        await stepped_times.cap(
            connection,
            now,
            window_ms=rules.window_ms,
            hold_ms=rules.hold_ms,
            retry_ms=rules.retry_ms,
        )

    async def _adopt_settled(self, clock: SteadyClock) -> None:
        """Go by a wall clock that has stayed where it stepped to; what is measured moves along."""
        away, now = clock.away_ms, clock()
        if away == 0:
            self._away = None
        elif self._away is None or abs(self._away[0] - away) > MINUTE_MS:
            log.warning("clock_stepped", by_s=away / 1000, believed_in_s=SETTLED_MS / 1000)
            self._away = (away, now)
        elif now - self._away[1] >= SETTLED_MS:
            async with self._database.transaction() as connection:
                before = clock()
                by_ms = clock.adopt()
                await stepped_times.move(connection, before, by_ms, self._rules.window_ms)
            self._seen = (self._seen or before) + by_ms
            self._away = None
            self._hold(by_ms, inf)
            log.warning("clock_adopted", by_s=by_ms / 1000)

    def _doubt(self, gap: int) -> None:
        """Take a gap in which nobody watched the clock for a step, for a while."""
        if gap > GAP_MS:
            self._hold(gap, CONFIRMED_MS if gap > LONG_GAP_MS else 0)
        if gap > LONG_GAP_MS or gap < -MINUTE_MS:
            log.warning(
                "clock_doubted", by_s=gap / 1000, nothing_pruned_s=self._prune_hold_ms / 1000
            )

    def _hold(self, by_ms: int, prune_at_most: float) -> None:
        """Let nothing end for its age for as long as everything became older at once."""
        if by_ms > 0:
            wait = min(by_ms, self._rules.wait_limit_ms)
            self._expiry_hold_ms = max(self._expiry_hold_ms, wait)
            prune = round(min(by_ms, prune_at_most))
            self._prune_hold_ms = max(self._prune_hold_ms, prune)

    def _values(self, now: int) -> dict[str, int]:
        return {
            "seen_ms": now,
            "expiry_hold_ms": self._expiry_hold_ms,
            "prune_hold_ms": self._prune_hold_ms,
        }
