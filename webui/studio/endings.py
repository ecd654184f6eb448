"""Cancel and delete, taken back within ten seconds: until then they are only noted.

A note is a row. So it is carried out although its page was closed or the service restarted, and any
Studio at the same rows may take it back; the one that noted it shows it. Drafts that were asked for
together end together, so they have one note.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import structlog

from core.domain.decoding import UndecodableError, decode
from core.domain.followups import Action
from core.domain.jobs import Job
from core.domain.people import Caller, Requester
from core.errors import AlreadyFinished, JobUnknown, NotYours
from core.runtime.tasks import outcome_of
from core.service.front_services import FrontServices
from webui.auth.visitors import HUGGING_FACE, PLATFORM, Visitor

log = structlog.get_logger(__name__)

WAIT_MS = 10_000  # in which one can think again
_KIND = "ending"


@dataclass(frozen=True, slots=True)
class Ending:
    """What was pressed, and when it happens (epoch ms)."""

    action: str
    due_ms: int


class Endings:
    """Carries out what was pressed once nobody took it back in time."""

    def __init__(self, services: FrontServices, wait_ms: int = WAIT_MS) -> None:
        """Take the service, and the milliseconds in which an ending can be taken back."""
        self._users = services.users
        self._state = services.state
        self._clock = services.clock
        self.tasks: set[asyncio.Task[None]] = set()
        self._noted: dict[tuple[Requester, str], Ending] = {}  # of pages of this process
        self.wait_ms = wait_ms

    async def postpone(self, job_id: str, action: Action, visitor: Visitor) -> None:
        """Have ``action`` done to a job of ``visitor`` in a while.

        Raises:
            JobUnknown: no such job.
            NotYours: somebody else's.
            AlreadyFinished: nothing is left to cancel.
        """
        job = await self._users.job(visitor.caller, job_id)
        if action is Action.CANCEL and not await self._lives(job):
            raise AlreadyFinished(job_id, job.state)
        ending = Ending(action.value, self._clock() + self.wait_ms)
        earlier = visitor.earlier.key if visitor.earlier else ""
        note = {"action": ending.action, "due_ms": ending.due_ms, "earlier": earlier}
        who, target = visitor.requester, target_of(job)
        note["job"] = job.id
        await self._state.remember(_front(who.platform), f"{target}:{who.user_id}", note)
        self._begin(who, target, ending)

    async def take_back(self, job_id: str, visitor: Visitor) -> None:
        """Forget what was noted for a job of ``visitor``; nothing where it happened already.

        Raises:
            JobUnknown: no such job, or not any more.
            NotYours: somebody else's.
        """
        job = await self._users.job(visitor.caller, job_id)
        await self._take(visitor.requester, target_of(job))

    def of(self, visitor: Visitor) -> Mapping[str, Ending]:
        """Return what is noted of the jobs of ``visitor``, by :func:`target_of` them."""
        found = self._noted.items()
        return {target: ending for (who, target), ending in found if who == visitor.requester}

    async def restore(self) -> None:
        """Go on with what was noted before this start; what cannot be read is left alone.

        It waits as long as at first: while the service was away nobody could take it back.
        """
        due_ms = self._clock() + self.wait_ms
        for platform in (PLATFORM, HUGGING_FACE):
            for name, note in (await self._state.recall_all(_front(platform))).items():
                target, _, owner = name.partition(":")
                try:
                    ending = decode(Ending, note)
                except UndecodableError:
                    log.warning("ending_unreadable", job_id=target)
                    continue
                self._begin(Requester(platform, owner), target, replace(ending, due_ms=due_ms))

    def stop(self) -> None:
        """Leave what is noted to the next start."""
        for task in self.tasks:
            task.cancel()

    async def _lives(self, job: Job) -> bool:
        """Tell whether something is left to cancel: ``job``, or a draft asked for with it."""
        drafts = await self._users.gallery.drafts(job)
        return any(not one.state.terminal for one in (job, *drafts))

    def _begin(self, who: Requester, target: str, ending: Ending) -> None:
        self._noted[who, target] = ending
        task = asyncio.create_task(self._carry_out(who, target, ending.due_ms))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _carry_out(self, who: Requester, target: str, due_ms: int) -> None:
        await asyncio.sleep(max(0, due_ms - self._clock()) / 1000)
        ending = self._noted.get((who, target))
        if ending is None or ending.due_ms != due_ms:  # taken back, and perhaps noted again
            return
        done = await outcome_of(self._end(who, target))
        if not done.ok:
            log.warning("ending_failed", job_id=target, exc_info=done.error)

    async def _take(self, who: Requester, target: str) -> dict[str, Any] | None:
        name = f"{target}:{who.user_id}"
        note: dict[str, Any] | None = await self._state.take(_front(who.platform), name)
        self._noted.pop((who, target), None)
        return note

    async def _end(self, who: Requester, target: str) -> None:
        note = await self._take(who, target)
        if note is None:  # taken back, or done by another Studio
            return
        job_id = note.get("job", target)  # earlier versions named the job alone
        earlier = (Requester.from_key(note["earlier"]),) if note["earlier"] else ()
        caller = Caller(who, PLATFORM, earlier=earlier)
        with suppress(JobUnknown, NotYours, AlreadyFinished):
            if note["action"] == Action.DELETE:
                await self._users.delete(caller, job_id)
            else:
                await self._users.cancel(caller, job_id)


def target_of(job: Job) -> str:
    """Return what ends together with ``job``: the drafts that it was asked for with, or itself."""
    return job.id if job.group is None else job.group.id


def _front(platform: str) -> str:
    return f"{platform}-{_KIND}"
