"""Terms as rows that several nodes take from each other, when they end or are given back."""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from uuid import uuid4

import structlog

from core.bus.held_term import HeldTerm
from core.runtime.clock import boot_s
from core.runtime.tasks import TaskOutcome, outcome_of, wait_event
from core.storage import terms as rows
from core.storage.database import Database
from core.storage.terms import TermClaim

log = structlog.get_logger(__name__)

RENEWALS = 3  # in the length of a term
TRIES = 20  # in the length of a term, where the rows did not answer
SPREAD_S = 0.05  # several nodes that wait do not ask at the same moment
RELEASE_S = 1.0  # then the term ends by itself


class ClusterTerms:
    """Implements :class:`core.interfaces.terms.Terms` by rows."""

    def __init__(
        self,
        database: Database,
        node: str,
        length_s: float,
        seconds: Callable[[], float] = boot_s,
    ) -> None:
        """Take the rows, who we are, and how long a term is unless it is renewed.

        ``seconds`` is a clock that goes on while this process, or its machine, is stopped.
        """
        self._database = database
        self._node = node
        self._length_s = length_s
        self._seconds = seconds
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._held: dict[str, HeldTerm] = {}

    @asynccontextmanager
    async def term(self, name: str) -> AsyncGenerator[HeldTerm]:
        """Wait until the term called ``name`` is ours, and give it back at the end of the block."""
        claim = TermClaim(name, self._node, uuid4().hex)
        try:
            held = await self._take(claim)
            self._held[name] = held
            keeping = asyncio.create_task(self._keep(claim, held))
            try:
                yield held
            finally:
                held.lose()
                keeping.cancel()
                self._held.pop(name, None)
        finally:  # also one of which the answer was lost
            await outcome_of(self._release(claim), RELEASE_S, unwind_s=0)

    def hear(self, text: str) -> None:
        """Act upon what another node told of a term; with nothing, look at the rows."""
        what, _, name = text.partition(" ")
        if what == rows.WANTED and name in self._held:
            self._held[name].want()
        elif what == rows.RELEASED:
            self._wake(name)
        elif not what:
            for known in tuple(self._waiting):
                self._wake(known)

    def _wake(self, name: str) -> None:
        for waiting in self._waiting.get(name, ()):
            waiting.set()

    async def _take(self, claim: TermClaim) -> HeldTerm:
        woken = asyncio.Event()
        waiting = self._waiting.setdefault(claim.name, set())
        waiting.add(woken)
        held = HeldTerm(self._length_s, self._seconds)
        told = False
        try:
            while True:
                woken.clear()
                asked_s = self._seconds()
                left_s = await self._try(claim)
                if left_s == 0:
                    held.renewed(asked_s)
                if held.held:
                    log.info("term_taken", term=claim.name)
                    return held
                if not told:
                    log.info("term_waited_for", term=claim.name)
                told = True
                await wait_event(woken, left_s + random.uniform(0, SPREAD_S))  # noqa: S311  # no secret
        finally:
            waiting.discard(woken)

    async def _try(self, claim: TermClaim) -> float:
        """Try to take the term; return 0 where it is ours, else the seconds until the next try."""
        poll_s = self._length_s / RENEWALS
        tried = await outcome_of(self._step_take(claim), self._length_s)
        if tried.value is None:
            log.info("term_not_asked", term=claim.name, reason=_reason(tried))
            return poll_s
        return min(tried.value / 1000, poll_s)

    async def _keep(self, claim: TermClaim, held: HeldTerm) -> None:
        """Renew the term until it is lost."""
        every_s = pause_s = self._length_s / RENEWALS
        reason = "stopped"
        while True:
            await wait_event(held.ask, min(pause_s, held.left_s))
            held.ask.clear()
            if not held.left_s:
                break
            asked_s = self._seconds()
            renewed = await outcome_of(self._step_renew(claim), held.left_s, unwind_s=0)
            if renewed.value:
                held.renewed(asked_s)
                pause_s = every_s
            elif renewed.ok:
                reason = "taken"
                break
            else:
                reason, pause_s = _reason(renewed), self._length_s / TRIES
        log.warning("term_lost", term=claim.name, reason=reason)
        held.lose()

    async def _step_take(self, claim: TermClaim) -> int:
        async with self._database.transaction(turn=False) as connection:
            return await rows.take(connection, claim, round(self._length_s * 1000))

    async def _step_renew(self, claim: TermClaim) -> bool:
        async with self._database.transaction(turn=False) as connection:
            return await rows.renew(connection, claim, round(self._length_s * 1000))

    async def _release(self, claim: TermClaim) -> None:
        async with self._database.transaction(turn=False) as connection:
            await rows.release(connection, claim)


def _reason(tried: TaskOutcome[int] | TaskOutcome[bool]) -> str:
    return "timeout" if tried.timed_out else type(tried.error).__name__
