"""Limit the tries at a secret: growing waits by account, by address and by both together.

Everything is in memory and bounded. A restart forgets it, which costs an attacker more than it
gives: a few free tries. The honest owner is never shut out for ever: waits by both together come
from the owner's own address only, browsers that signed in before have waits of their own, and what
many addresses do to one account makes a strange one wait once, at most a minute.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from core.errors import Refused

Seconds: TypeAlias = Callable[[], float]  # a clock that never goes back
_LOOKED_AT = 32  # of the oldest entries when a table is full; the one with the fewest tries goes


class TooManyTries(Refused):
    """Secrets were tried too often; ``wait_s`` whole seconds from now the next try counts."""

    wait_s: int


@dataclass(frozen=True, slots=True)
class ThrottleRule:
    """What tries cost: the first ``free`` nothing, then waits that double up to ``longest_s``."""

    free: int
    first_s: float
    longest_s: float
    forgiven_s: float  # one try is forgotten after so long

    def wait_s(self, tries: float) -> float:
        """Return the wait after so many tries."""
        above = tries - self.free
        if above <= 0:
            return 0.0
        return min(self.longest_s, self.first_s * 2 ** min(above - 1, 30.0))

    @property
    def most(self) -> float:
        """Return the tries after which nothing grows any more."""
        doublings, wait = 1, self.first_s
        while wait < self.longest_s:
            doublings, wait = doublings + 1, wait * 2
        return float(self.free + doublings)


# five mistakes cost nothing; a guesser at one address gets about a hundred tries a day
BOTH = ThrottleRule(free=5, first_s=2, longest_s=900, forgiven_s=3600)
# an office behind one address makes some mistakes; one guesser over many names gets one a minute
ADDRESS = ThrottleRule(free=20, first_s=2, longest_s=60, forgiven_s=300)
# of all addresses together: what a strange address then waits before its try counts
ACCOUNT = ThrottleRule(free=30, first_s=5, longest_s=60, forgiven_s=60)


@dataclass(slots=True)
class _Entry:
    tries: float = 0.0
    at: float = 0.0
    until: float = 0.0
    known: bool = False  # the right secret came from here


@dataclass(slots=True)
class _Table:
    """Entries by name, the least used first; never more than ``size``."""

    rule: ThrottleRule
    size: int
    entries: "OrderedDict[str, _Entry]" = field(default_factory=OrderedDict[str, _Entry])

    def look(self, name: str, now: float) -> _Entry | None:
        entry = self.entries.get(name)
        if entry is not None:
            entry.tries = max(0.0, entry.tries - (now - entry.at) / self.rule.forgiven_s)
            entry.at = now
        return entry

    def take(self, name: str, now: float) -> _Entry:
        entry = self.look(name, now)
        if entry is None:
            if len(self.entries) >= self.size:
                self._make_room()
            entry = self.entries[name] = _Entry(at=now)
        self.entries.move_to_end(name)
        return entry

    def charge(self, name: str, now: float) -> _Entry:
        entry = self.take(name, now)
        entry.tries = min(entry.tries + 1, self.rule.most)
        entry.until = max(entry.until, now + self.rule.wait_s(entry.tries))
        return entry

    def _make_room(self) -> None:
        oldest = [name for name, _ in zip(self.entries, range(_LOOKED_AT), strict=False)]
        del self.entries[min(oldest, key=lambda name: self.entries[name].tries)]


class SecretThrottle:
    """Counts tries; safe to use from several threads."""

    def __init__(self, clock: Seconds, size: int = 10_000) -> None:
        """Count by ``clock``, seconds; each of three tables holds at most ``size`` entries."""
        self._clock = clock
        self._lock = threading.Lock()
        self._both = _Table(BOTH, size)
        self._address = _Table(ADDRESS, size)
        self._account = _Table(ACCOUNT, size)

    @property
    def size(self) -> int:
        """Return how many entries are kept."""
        return sum(len(table.entries) for table in (self._both, self._address, self._account))

    def begin(self, account: str, address: str, browser: str = "") -> None:
        """Count a try before its secret is looked at, so that tries at once count as well.

        Args:
            account: whatever name was typed; names that do not exist are treated alike.
            address: where it comes from.
            browser: an id that only a browser has that signed in as this account before; its
                tries count by it instead of by address.

        Raises:
            TooManyTries: it is too early; nothing was counted.
        """
        now, account = self._clock(), _short(account)
        with self._lock:
            pair = _pair(account, address, browser)
            known = self._both.look(pair, now)
            until = known.until if known else 0.0
            if not browser:
                at = self._address.look(address, now)
                until = max(until, at.until if at else 0.0)
                until = max(until, self._note_strange_try(pair, account, now))
            if until > now:
                raise TooManyTries(max(1, int(until - now + 0.999)))
            entry, of_all = self._both.charge(pair, now), self._account.charge(account, now)
            if not browser:
                self._address.charge(address, now)
                if not entry.known:
                    entry.until = max(entry.until, now + ACCOUNT.wait_s(of_all.tries))

    def succeeded(self, account: str, address: str, browser: str = "") -> None:
        """Take back the try that :meth:`begin` counted: its secret was right."""
        now, account = self._clock(), _short(account)
        with self._lock:
            entry = self._both.take(_pair(account, address, browser), now)
            entry.tries, entry.until, entry.known = 0.0, 0.0, True
            tables = [(self._account, account)] + ([] if browser else [(self._address, address)])
            for table, name in tables:
                charged = table.take(name, now)
                charged.tries = max(0.0, charged.tries - 1)
                charged.until = 0.0 if charged.tries <= table.rule.free else charged.until

    def _note_strange_try(self, pair: str, account: str, now: float) -> float:
        """Note a try from a strange address; return until when it has to wait."""
        of_all = self._account.look(account, now)
        wait_s = ACCOUNT.wait_s(of_all.tries) if of_all else 0.0
        if not wait_s or pair in self._both.entries:
            return 0.0
        entry = self._both.take(pair, now)
        entry.until = now + wait_s
        return entry.until


def _short(account: str) -> str:
    """Return a name of bounded length: people may type megabytes."""
    return hashlib.sha256(account.encode("utf-8", "replace")).hexdigest()


def _pair(account: str, address: str, browser: str) -> str:
    return f"{account} browser {browser}" if browser else f"{account} {address}"
