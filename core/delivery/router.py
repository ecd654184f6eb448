"""Deliver what the outbox owes: each result until its platform confirms it, or says never.

Platforms do not wait for each other, results do not wait for progress, and what is owed to a
platform that is not registered stays owed.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import structlog

from core.artefacts.clips import bring_clip
from core.delivery.progress_pump import ProgressPump
from core.domain.jobs import Job, JobState
from core.errors import DeliveryFailed, DeliveryImpossible, DeliveryRetry
from core.errors.artefacts import ArtefactGone, ArtefactsUnavailable
from core.interfaces.artefacts import Artefacts, names_of_clip
from core.interfaces.delivery import Delivery, DeliveryAttempt, Receipt
from core.runtime.progress_hub import ProgressHub
from core.runtime.tasks import TaskOutcome, outcome_of, run_shielded, wait_event
from core.storage.outbox import LEASE_MS, DeliveryClaim, DueDelivery, Outbox

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
    ) -> None:
        """Take what is owed, what is made, and how jobs and drafts of a group are read."""
        self._load_drafts = load_drafts
        self._outbox = outbox
        self._artefacts = artefacts
        self._rules = rules
        self._deliveries: dict[str, Delivery] = {}
        self._owed = asyncio.Event()
        self._lanes: dict[str, asyncio.Task[None]] = {}  # deliveries under way by job id
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
        taken = await outcome_of(self._outbox.take_back(tuple(self._lanes)))
        if taken.value:
            log.warning("deliveries_taken_back", count=taken.value)

    async def _start_due(self, tasks: asyncio.TaskGroup) -> int:
        """Start a delivery for every row that is due and has a free lane; return how many."""
        started = 0
        for platform, delivery in list(self._deliveries.items()):
            free = self._rules.lanes - self._busy[platform]
            if free <= 0:
                continue
            due = await outcome_of(self._outbox.due(platform, free + self._busy[platform]))
            if not due.ok:
                log.error("outbox_unreadable", exc_info=due.error)
            fresh = [owed for owed in due.value or () if owed.job.id not in self._lanes]
            for owed in fresh[:free]:
                self._busy[platform] += 1
                self._lanes[owed.job.id] = tasks.create_task(self._lane(delivery, owed))
                started += 1
        return started

    async def _lane(self, delivery: Delivery, owed: DueDelivery) -> None:
        try:
            async with self._progress.muted(owed.job.id):
                done = await outcome_of(self._deliver(delivery, owed))
        finally:
            del self._lanes[owed.job.id]
            self._busy[delivery.platform] -= 1
        if done.ok:
            self.wake()
        else:  # the poll comes back to it, so a broken database is not asked in a circle
            log.error("delivery_not_begun", job_id=owed.job.id, exc_info=done.error)

    async def _deliver(self, delivery: Delivery, owed: DueDelivery) -> None:
        """Try once; the row says so before the platform hears of it, and the outcome after."""
        claim = await self._outbox.begin(owed.job.id)
        if claim is None:
            return
        handing = self._hand_over(delivery, owed.job, claim.attempt)
        tried = await outcome_of(self._leased(claim, handing), self._rules.timeout_s)
        while not (noted := await outcome_of(run_shielded(self._record(claim, tried)))).ok:
            log.error("delivery_not_recorded", job_id=owed.job.id, exc_info=noted.error)
            await asyncio.sleep(self._rules.poll_s)  # a crash meanwhile makes it ambiguous
        if not noted.value:  # another node had it meanwhile, and tells what became of it
            log.warning("late_result_refused", job_id=owed.job.id)

    async def _leased(self, claim: DeliveryClaim, handing: Coroutine[Any, Any, Receipt]) -> Receipt:
        """Hand over while the lease is extended; stop where it is somebody else's by now.

        Raises:
            DeliveryRetry: it is; what was sent is not known.
        """
        working = asyncio.create_task(handing)
        keeping = asyncio.create_task(self._extend(claim))
        try:
            await asyncio.wait({working, keeping}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return working.result()
            raise DeliveryRetry("lease_lost", sent=True)
        finally:
            keeping.cancel()
            if not working.done():
                working.cancel()
                await asyncio.wait({working})

    async def _extend(self, claim: DeliveryClaim) -> None:
        """Extend the lease until it is lost; a database that does not answer is asked again."""
        ours = True
        while ours:
            await asyncio.sleep(LEASE_MS / 3000)
            ours = (await outcome_of(self._outbox.extend(claim))).value is not False

    async def _hand_over(self, delivery: Delivery, job: Job, attempt: DeliveryAttempt) -> Receipt:
        drafts = [] if job.group is None else await self._load_drafts(job.group.id)
        if any(one.clip is not None for one in drafts):
            return await self._hand_over_drafts(delivery, drafts, attempt)
        if job.state is not JobState.SUCCEEDED or job.clip is None:
            return await delivery.failed(job, job.end_reason, attempt)
        with self._artefacts.in_use(*names_of_clip(job.clip)):
            if (await self._brought(job)).clip is None:
                raise DeliveryImpossible("clip_deleted")
            return await delivery.completed(job, job.clip, attempt)

    async def _hand_over_drafts(
        self, delivery: Delivery, drafts: list[Job], attempt: DeliveryAttempt
    ) -> Receipt:
        """Hand over the drafts of a group as one; those whose clips are gone count as failed.

        Raises:
            DeliveryImpossible: all of them are gone.
        """
        with ExitStack() as kept:
            for draft in drafts:
                if draft.clip is not None:
                    kept.enter_context(self._artefacts.in_use(*names_of_clip(draft.clip)))
            there: list[Job] = []
            for draft in drafts:
                there.append(await self._brought(draft))
            if all(one.clip is None for one in there):
                raise DeliveryImpossible("clip_deleted")
            return await delivery.drafts(there, attempt)

    async def _brought(self, job: Job) -> Job:
        """Return a job whose clip is on this node, or without one where it is gone.

        Raises:
            DeliveryRetry: it cannot be fetched just now.
        """
        if job.clip is None:
            return job
        try:
            await bring_clip(self._artefacts, job.clip)
        except ArtefactGone:
            return replace(job, clip=None)
        except ArtefactsUnavailable as error:
            raise DeliveryRetry(error.reason) from error
        return job

    async def _record(self, claim: DeliveryClaim, tried: TaskOutcome[Receipt]) -> bool:
        """Write what became of an attempt; False where it is not ours any more."""
        job_id, number, error = claim.job_id, claim.attempt.number, tried.error
        if tried.value is not None:
            return await self._outbox.sent(claim, tried.value)
        if isinstance(error, DeliveryImpossible):
            log.warning("delivery_dead", job_id=job_id, reason=error.reason)
            return await self._outbox.dead(claim, error.reason)
        if number >= self._rules.max_attempts:
            log.warning("delivery_given_up", job_id=job_id, attempts=number)
            return await self._outbox.dead(claim, _reason(tried))
        if error is not None and not isinstance(error, DeliveryFailed):
            log.error("delivery_broke", job_id=job_id, exc_info=error)
        retry = error if isinstance(error, DeliveryRetry) else None
        if retry is not None and (retry.after_s or 0) > 2 * self._rules.longest_wait_s:
            log.warning("platform_asks_for_long_pause", job_id=job_id, after_s=retry.after_s)
        after_ms = round(self._rules.wait_s(number, retry) * 1000)
        ambiguous = retry is None or retry.sent
        return await self._outbox.retry(claim, after_ms, _reason(tried), ambiguous=ambiguous)


def _reason(tried: TaskOutcome[Receipt]) -> str:
    if tried.timed_out:
        return "timeout"
    return tried.error.reason if isinstance(tried.error, DeliveryRetry) else "internal_error"
