"""Bound how often somebody calls: a bucket that fills evenly, one for each."""

from collections import OrderedDict
from collections.abc import Callable
from time import monotonic


class RateLimit:
    """Allows each caller ``burst`` calls at once, and ``per_s`` a second after them."""

    def __init__(
        self,
        per_s: float,
        burst: int,
        most_callers: int = 10_000,
        seconds: Callable[[], float] = monotonic,
    ) -> None:
        self._per_s = per_s
        self._burst = burst
        self._most_callers = most_callers
        self._seconds = seconds
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # calls, and as of when

    def take(self, caller: str) -> bool:
        """Count a call; False where it is one too many."""
        left = self.left(caller)
        self._left[caller] = (left - 1 if left >= 1 else left, self._seconds())
        self._left.move_to_end(caller)
        while len(self._left) > self._most_callers:
            self._left.popitem(last=False)
        return left >= 1

    def left(self, caller: str) -> float:
        """Return how many calls ``caller`` has left now."""
        left, since = self._left.get(caller, (float(self._burst), self._seconds()))
        return min(self._burst, left + (self._seconds() - since) * self._per_s)
