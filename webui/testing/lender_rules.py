"""What a lender of GPUs holds a Space to: seconds, tokens, days, and who gets which GPU."""

import base64
import json
import mmap
import os
import signal
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from webui.zerogpu.workers import lives


@dataclass(frozen=True, slots=True)
class Rules:
    """How strict a lender is; without any it lends to everybody and ends nothing."""

    kills: bool = False  # the worker, when the granted seconds are over
    second_s: float = 1.0  # real seconds that one second of the lender lasts
    grant_factor: float = 1.0  # granted ÷ asked seconds
    gpus: int = 8  # lent at once; who comes later waits in line
    keep_s: float = 600.0  # a worker is kept for the next call after its last
    queue_s: float = 60.0  # in line, then the lender gives up
    token_s: float | None = None  # a visitor's token is taken for so long; None for ever
    day_s: float | None = None  # seconds of a visitor's day, a whole card counting twice
    call_s: float | None = None  # in one call at most


class SharedClock:
    """Seconds in a file, the same for every process, that pass only when somebody lets them.

    What a test waits for then takes the seconds that it says, on the busiest machine.
    """

    def __init__(self, path: Path) -> None:
        """Map the file at ``path``, which is made where it is missing."""
        with path.open("a+b") as file:
            file.truncate(8)
            self._map = mmap.mmap(file.fileno(), 8)

    def __call__(self) -> float:
        """Return the seconds."""
        return struct.unpack("d", self._map[:])[0]

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass; one process at a time."""
        self._map[:] = struct.pack("d", self() + seconds)


@dataclass(slots=True)
class Lease:
    """One GPU lent once."""

    token: str  # that allows it
    visitor: str
    gpu: int
    task: str
    size: str
    asked_s: float
    granted_s: float
    began: float  # seconds of the lender's clock
    warm: bool  # the worker of an earlier lease was still there
    pid: int | None = None
    ended: float | None = None
    how: str = "running"  # then "released", "failed" or "killed"

    def left_s(self, now: float) -> float:
        """Return the seconds until it is over."""
        return self.began + self.granted_s - now

    def spent_s(self, now: float) -> float:
        """Return the seconds that it lasted, as the visitor's day counts them."""
        spent = (now if self.ended is None else self.ended) - self.began
        return spent * (2 if self.size == "xlarge" else 1)


@dataclass(slots=True)
class _Kept:
    """A worker between two leases."""

    pid: int
    task: str
    until: float


@dataclass(slots=True)
class Book:
    """Who has which GPU, and what it cost them. Guard it with one lock."""

    rules: Rules
    clock: Callable[[], float] = time.monotonic  # real seconds
    leases: list[Lease] = field(default_factory=list[Lease])
    expired: set[str] = field(default_factory=set[str])  # tokens
    _kept: dict[int, _Kept] = field(default_factory=dict[int, _Kept])

    def now(self) -> float:
        """Return the seconds of the lender's clock."""
        return self.clock() / self.rules.second_s

    def counted_s(self, visitor: str) -> float:
        """Return the seconds of the day that ``visitor`` has used."""
        now = self.now()
        return sum(one.spent_s(now) for one in self.leases if one.visitor == visitor)

    def refusal(self, token: str | None, asked_s: float, size: str) -> int | tuple[int, int] | None:
        """Return 401, or the seconds left and to wait as a refusal tells them; None grants."""
        visitor, minted = read_token(token)
        aged = self.rules.token_s is not None and self.now() - minted > self.rules.token_s
        if token is not None and (token in self.expired or (minted and aged)):
            return 401
        counted = asked_s * (2 if size == "xlarge" else 1)
        if self.rules.call_s is not None and counted > self.rules.call_s:
            return 0, -1
        if self.rules.day_s is not None:
            left = max(0.0, self.rules.day_s - self.counted_s(visitor))
            if counted > left:
                return int(left), 3600
        return None

    def lend(self, token: str | None, task: str, asked_s: float, size: str) -> Lease | None:
        """Lend a free GPU, one with a kept worker of ``task`` first; None where all are lent."""
        lent = {one.gpu for one in self.leases if one.ended is None}
        free = [gpu for gpu in range(self.rules.gpus) if gpu not in lent]
        if not free:
            return None
        kept = {gpu: self._warm(gpu, task) for gpu in free}
        gpu = next((gpu for gpu in free if kept[gpu]), free[0])
        pid = kept[gpu]
        self._kept.pop(gpu, None)
        lease = Lease(
            token=f"t{len(self.leases) + 1}",
            visitor=read_token(token)[0],
            gpu=gpu,
            task=task,
            size=size,
            asked_s=asked_s,
            granted_s=asked_s * self.rules.grant_factor,
            began=self.now(),
            warm=pid is not None,
            pid=pid,
        )
        self.leases.append(lease)
        return lease

    def _warm(self, gpu: int, task: str) -> int | None:
        """Return the process that is kept on ``gpu``; end one of another task, or kept too long."""
        kept = self._kept.get(gpu)
        if kept is None:
            return None
        if kept.task == task and self.now() < kept.until and lives(kept.pid):
            return kept.pid
        self._kept.pop(gpu)
        if self.rules.kills:
            end_process(kept.pid)
        return None

    def find(self, token: str) -> Lease | None:
        """Return the running lease that ``token`` allows."""
        return next((one for one in self.leases if one.token == token and not one.ended), None)

    def end(self, lease: Lease, how: str) -> None:
        """End ``lease``; its worker stays where nothing went wrong."""
        lease.ended, lease.how = self.now(), how
        if how == "released" and lease.pid is not None:
            self._kept[lease.gpu] = _Kept(lease.pid, lease.task, self.now() + self.rules.keep_s)


def mint(visitor: str, now: float) -> str:
    """Return a visitor's token as the platform's proxy sends it: a JWT that nobody signed."""

    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'none'})}.{part({'sub': visitor, 'iat': now})}."


def read_token(token: str | None) -> tuple[str, float]:
    """Return the visitor and the moment of a minted token; a token of another kind is the name."""
    if token is None:
        return "", 0.0
    with suppress(ValueError, LookupError):
        payload = token.split(".")[1]
        found = json.loads(base64.urlsafe_b64decode(f"{payload}=="))
        return str(found["sub"]), float(found["iat"])
    return token, 0.0


def end_process(pid: int) -> None:
    """Kill ``pid`` as the platform does: at once."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
