"""Chores: what has to be done again and again, by each process or by one of all."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from core.runtime.tasks import outcome_of, wait_event

log = structlog.get_logger(__name__)

FIRST_S = 60.0  # a chore that is seldom done has its first turn after so long


@dataclass(frozen=True, slots=True)
class Chore:
    """What is to be done every so many seconds."""

    name: str
    every_s: int
    call: Callable[[], Coroutine[Any, Any, object]]
    everywhere: bool = False  # in every process at the rows; else in one of them
    part_of: str = ""  # the chore that does it as well, in the process that does that one

    async def do(self) -> None:
        """Do it once; a failure is logged, and it comes again."""
        done = await outcome_of(self.call())
        if not done.ok:
            log.error("housekeeping_failed", chore=self.name, exc_info=done.error)


class ChoreRunner(Protocol):
    """Has chores done for as long as the service runs."""

    async def run(self, chores: Sequence[Chore], stop: asyncio.Event) -> None:
        """Do ``chores`` when they are due until ``stop`` is set; the one under way is finished."""
        ...


class LocalChores:
    """Implements :class:`ChoreRunner` where this process is the only one: one after the other."""

    async def run(self, chores: Sequence[Chore], stop: asyncio.Event) -> None:
        """Do ``chores`` when they are due until ``stop`` is set; the one under way is finished."""
        names = {chore.name for chore in chores}
        chores = [chore for chore in chores if chore.part_of not in names]
        if not chores:
            return
        clock = asyncio.get_running_loop().time
        due_s = {chore.name: clock() + min(chore.every_s, FIRST_S) for chore in chores}
        while not await wait_event(stop, _until(due_s.values(), clock())):
            for chore in chores:
                if due_s[chore.name] <= clock():
                    await chore.do()
                    due_s[chore.name] = clock() + chore.every_s


def _until(times_s: Iterable[float], now_s: float) -> float:
    return max(0.0, min(times_s) - now_s)
