"""Deliver what the outbox owes: each result until its platform confirms it, or says never.

Platforms do not wait for each other, results do not wait for progress, and what is owed to a
platform that is not registered stays owed.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import structlog

from core.delivery.owed import OwedItem, OwedKind
from core.delivery.progress_pump import ProgressPump
from core.delivery.results import OwedResults
from core.domain.jobs import Job
from core.errors import DeliveryFailed, DeliveryImpossible, DeliveryRetry
from core.interfaces.artefacts import Artefacts
from core.interfaces.delivery import Delivery, Receipt
from core.runtime.progress_hub import ProgressHub
from core.runtime.tasks import (
    TaskOutcome,
    cancel_and_wait,
    outcome_of,
    run_shielded,
    wait_event,
    wait_unless,
)
from core.storage.outbox import Outbox
from core.storage.owed_rows import LEASE_MS, DeliveryClaim, OwedRows

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RouterRules:
    """When to try again, and when to give up. Times in seconds."""

    max_attempts: int = 60
    first_wait_s: float = 2.0  # doubles with every attempt …
    longest_wait_s: float = 900.0  # … up to this
    timeout_s: float = 300.0  # one attempt, upload included
    poll_s: float = 2.0
    lanes: int = 4  # deliveries at a time on one platform
    progress_every_s: float = 1.0  # per job
    progress_timeout_s: float = 20.0
    grace_s: float = 2.0  # after a stop, for what is owed at that moment

    def wait_s(self, attempt: int, error: DeliveryRetry | None) -> float:
        """Choose the seconds to wait after ``attempt`` (1, 2, …), by the platform's word if any.

        A pause of more than twice ``longest_wait_s``, or without end, is looked at again then.
        """
        asked = None if error is None else error.after_s
        if asked is not None and asked >= 0:  # NaN is not
            return asked if asked <= 2 * self.longest_wait_s else self.longest_wait_s
        return min(self.first_wait_s * 2.0 ** min(attempt - 1, 30), self.longest_wait_s)


class DeliveryRouter:
    """Hands outbox rows and progress events to the one delivery of each platform."""

    def __init__(
        self,
        outbox: Outbox,
        hub: ProgressHub,
        load: Callable[[str], Awaitable[Job]],
        artefacts: Artefacts,
        rules: RouterRules,
        load_drafts: Callable[[str], Awaitable[list[Job]]],
        *more: OwedKind,
    ) -> None:
        """Take what is owed, what is made, and how jobs and drafts of a group are read.

        ``more`` are other kinds of things that are owed to the same platforms.
        """
        self._kinds: tuple[OwedKind, ...] = (OwedResults(outbox, artefacts, load_drafts), *more)
        self._rules = rules
        self._deliveries: dict[str, Delivery] = {}
        self._owed = asyncio.Event()
        self._lanes: dict[str, asyncio.Task[None]] = {}  # deliveries under way by key
        self._busy: Counter[str] = Counter()  # the same, counted by platform
        self._take_back_at_s = 0.0
        self._progress = ProgressPump(
            load, self._deliveries.get, rules.progress_every_s, rules.progress_timeout_s
        )
        hub.listen(self._progress.offer)

    def register(self, delivery: Delivery) -> None:
        """Deliver through ``delivery`` what is and will be owed to its platform."""
        self._deliveries[delivery.platform] = delivery
        self.wake()

    def unregister(self, platform: str) -> None:
        """Stop delivering to ``platform``; what is owed to it stays owed."""
        self._deliveries.pop(platform, None)

    def wake(self) -> None:
        """Look at the outbox now: something may be owed."""
        self._owed.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until ``stop`` is set and what was due then is handed over, within the grace."""
        async with asyncio.TaskGroup() as tasks:
            self._progress.start(tasks)
            ending = tasks.create_task(self._wake_at(stop))
            while not stop.is_set():
                self._owed.clear()
                await self._take_back()
                await self._start_due(tasks)
                await wait_event(self._owed, self._rules.poll_s)
            self._progress.stop()
            ending.cancel()
            await outcome_of(self._drain(tasks), self._rules.grace_s)
            self._progress.cancel()
            for lane in self._lanes.values():
                lane.cancel()

    async def _wake_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self.wake()

    async def _drain(self, tasks: asyncio.TaskGroup) -> None:
        while await self._start_due(tasks) or self._lanes:
            self._owed.clear()
            await wait_event(self._owed, self._rules.poll_s)

    async def _take_back(self) -> None:
        """Make due again, now and then, what a node that is gone was delivering."""
        now_s = asyncio.get_running_loop().time()
        if now_s < self._take_back_at_s:
            return
        self._take_back_at_s = now_s + self._rules.poll_s
        for kind in self._kinds:
            taken = await outcome_of(kind.rows.take_back(tuple(self._lanes)))
            if taken.value:
                log.warning("deliveries_taken_back", count=taken.value)

    async def _start_due(self, tasks: asyncio.TaskGroup) -> int:
        """Start a delivery for every row that is due and has a free lane; return how many."""
        started = 0
        for platform, delivery in list(self._deliveries.items()):
            for kind in self._kinds:
                free = self._rules.lanes - self._busy[platform]
                if free <= 0:
                    break
                due = await outcome_of(kind.due(platform, free + self._busy[platform]))
                if not due.ok:
                    log.error("outbox_unreadable", exc_info=due.error)
                fresh = [owed for owed in due.value or () if owed.key not in self._lanes]
                for owed in fresh[:free]:
                    self._busy[platform] += 1
                    self._lanes[owed.key] = tasks.create_task(self._lane(delivery, owed))
                    started += 1
        return started

    async def _lane(self, delivery: Delivery, owed: OwedItem) -> None:
        try:
            async with self._progress.muted(owed.job_id) if owed.job_id else nullcontext():
                done = await outcome_of(self._deliver(delivery, owed))
        finally:
            del self._lanes[owed.key]
            self._busy[delivery.platform] -= 1
        if done.ok:
            self.wake()
        else:  # the poll comes back to it, so a broken database is not asked in a circle
            log.error("delivery_not_begun", owed=owed.key, exc_info=done.error)

    async def _deliver(self, delivery: Delivery, owed: OwedItem) -> None:
        """Try once; the row says so before the platform hears of it, and the outcome after."""
        rows = owed.rows
        claim = await rows.begin(owed.key)
        if claim is None:
            return
        handing = owed.hand_over(delivery, claim)
        tried = await outcome_of(self._leased(rows, claim, handing), self._rules.timeout_s)
        while not (noted := await outcome_of(run_shielded(self._record(rows, claim, tried)))).ok:
            log.error("delivery_not_recorded", owed=owed.key, exc_info=noted.error)
            await asyncio.sleep(self._rules.poll_s)  # a crash meanwhile makes it ambiguous
        if not noted.value:  # another node had it meanwhile, and tells what became of it
            log.warning("late_result_refused", owed=owed.key)

    async def _leased(
        self, rows: OwedRows, claim: DeliveryClaim, handing: Coroutine[Any, Any, Receipt]
    ) -> Receipt:
        """Hand over while the lease is extended; stop where it is somebody else's by now.

        Raises:
            DeliveryRetry: it is; what was sent is not known.
        """
        working = asyncio.create_task(handing)
        try:
            if await wait_unless(working, _extend(rows, claim)):
                return working.result()
            raise DeliveryRetry("lease_lost", sent=True)
        finally:
            await cancel_and_wait(working)

    async def _record(
        self, rows: OwedRows, claim: DeliveryClaim, tried: TaskOutcome[Receipt]
    ) -> bool:
        """Write what became of an attempt; False where it is not ours any more."""
        key, number, error = claim.key, claim.attempt.number, tried.error
        if tried.value is not None:
            return await rows.sent(claim, tried.value)
        if isinstance(error, DeliveryImpossible):
            log.warning("delivery_dead", owed=key, reason=error.reason)
            return await rows.dead(claim, error.reason)
        if number >= self._rules.max_attempts:
            log.warning("delivery_given_up", owed=key, attempts=number)
            return await rows.dead(claim, _reason(tried))
        if error is not None and not isinstance(error, DeliveryFailed):
            log.error("delivery_broke", owed=key, exc_info=error)
        retry = error if isinstance(error, DeliveryRetry) else None
        if retry is not None and (retry.after_s or 0) > 2 * self._rules.longest_wait_s:
            log.warning("platform_asks_for_long_pause", owed=key, after_s=retry.after_s)
        after_ms = round(self._rules.wait_s(number, retry) * 1000)
        ambiguous = retry is None or retry.sent
        return await rows.retry(claim, after_ms, _reason(tried), ambiguous=ambiguous)


async def _extend(rows: OwedRows, claim: DeliveryClaim) -> None:
    """Extend the lease until it is lost; a database that does not answer is asked again."""
    ours = True
    while ours:
        await asyncio.sleep(LEASE_MS / 3000)
        ours = (await outcome_of(rows.extend(claim))).value is not False


def _reason(tried: TaskOutcome[Receipt]) -> str:
    if tried.timed_out:
        return "timeout"
    return tried.error.reason if isinstance(tried.error, DeliveryRetry) else "internal_error"
