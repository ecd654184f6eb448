"""Faults on request: which call should go wrong, how, and how often."""

import re
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass
class Fault:
    """One way in which matching calls go wrong.

    ``status`` None keeps the answer of the server; ``drop`` cuts the connection, ``after_storing``
    does so (or answers with the fault) only once the server has done what was asked.
    """

    method: str  # regular expression on the HTTP verb or the Bot API method
    path: str = ".*"  # regular expression on the path
    status: int | None = None
    body: dict[str, Any] = field(default_factory=dict[str, Any])
    headers: dict[str, str] = field(default_factory=dict[str, str])
    drop: bool = False
    after_storing: bool = False
    times: int = 1  # how often; negative means for ever
    min_bytes: int = 0  # only requests at least so large …
    max_bytes: int = 1 << 62  # … and at most
    after_bytes: int = 0  # of the request are read first; it must be longer than that
    delay_s: float = 0.0
    hits: int = 0

    def matches(self, method: str, path: str, size: int) -> bool:
        """Return whether this fault applies to a call."""
        return (
            self.times != 0
            and self.min_bytes <= size <= self.max_bytes
            and re.fullmatch(self.method, method) is not None
            and re.search(self.path, path) is not None
        )

    def hit(self) -> None:
        """Count one use."""
        self.hits += 1
        if self.times > 0:
            self.times -= 1


class Faults:
    """The faults in force, tried in the order they were added."""

    def __init__(self) -> None:
        self.active: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        """Put a copy of ``fault`` in force, which no other test has used up; return it."""
        self.active.append(replace(fault))
        return self.active[-1]

    def clear(self) -> None:
        """Let everything work again."""
        self.active.clear()

    def take(self, method: str, path: str, size: int) -> Fault | None:
        """Return the fault for a call, counted as used, or None."""
        for fault in self.active:
            if fault.matches(method, path, size):
                fault.hit()
                return fault
        return None
