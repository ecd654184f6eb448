"""How many workers a pool of devices should have, from the work that waits for it."""

import math
from collections import deque
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ScalingRules:
    """When to want more workers, and fewer."""

    target_wait_s: float = 300.0  # all that is in line should be made within this
    floor: int = 0
    ceiling: int = 100
    hold_s: float = 300.0  # fewer are wanted once fewer would have done for so long

    def needed(self, backlog_s: float) -> int:
        """Return how many workers make ``backlog_s`` GPU-seconds in time, within the bounds."""
        return max(self.floor, min(self.ceiling, math.ceil(backlog_s / self.target_wait_s)))


@dataclass(frozen=True, slots=True)
class PoolBacklog:
    """What one pool has before it."""

    pool: str
    gpu_s: float  # estimates of the jobs that wait and run
    oldest_wait_s: float = 0.0  # 0: none waits


@dataclass(slots=True)
class WantedWorkers:
    """More at once, fewer only after a while: machines cost minutes to start."""

    rules: ScalingRules
    _seen: deque[tuple[float, int]] = field(default_factory=deque[tuple[float, int]])
    _began_s: float | None = None

    def look(self, now_s: float, backlog_s: float, alive: int) -> int:
        """Return how many workers are wanted now.

        Args:
            now_s: of a clock that only goes forward.
            backlog_s: GPU-seconds before the pool.
            alive: workers that it has. As long as nothing is known of the last while, none of
                them is to go, whoever looked before.
        """
        if self._began_s is None:
            self._began_s = now_s
        needed, since_s = self.rules.needed(backlog_s), now_s - self.rules.hold_s
        while self._seen and self._seen[0][0] <= since_s:
            self._seen.popleft()
        while self._seen and self._seen[-1][1] <= needed:
            self._seen.pop()
        self._seen.append((now_s, needed))
        most = self._seen[0][1]
        return most if self._began_s <= since_s else max(most, min(alive, self.rules.ceiling))
