"""End jobs before their time, and delete what is kept of them.

Every call names a job record or a requester that the caller was found to own; who may ask is
decided in :mod:`core.service.user_api` and :mod:`core.service.operator_api`.
"""

from collections.abc import Callable
from contextlib import suppress

from core.domain.jobs import Job
from core.domain.people import Requester
from core.errors import AlreadyFinished, JobUnknown
from core.queue.job_queue import JobQueue
from core.runtime.notifier import LocalDispatcher
from core.runtime.progress_hub import ProgressHub
from core.service.deletion import Eraser
from core.storage.job_queries import JobQueries


class Cancellation:
    """Stops jobs, wherever they are, and refunds what they did not use."""

    def __init__(
        self,
        *,
        queue: JobQueue,
        jobs: JobQueries,
        eraser: Eraser,
        dispatcher: LocalDispatcher,
        hub: ProgressHub,
        on_owed: Callable[[], None],
    ) -> None:
        self._queue = queue
        self._jobs = jobs
        self._eraser = eraser
        self._dispatcher = dispatcher
        self._hub = hub
        self._on_owed = on_owed

    async def cancel(self, job_id: str, owner: Requester) -> Job:
        """Stop a job of ``owner``, who pays for the time that it had the device.

        Returns:
            The cancelled job.

        Raises:
            JobUnknown: no such job.
            NotYours: somebody else's.
            AlreadyFinished: too late, or cancelled before.
        """
        return await self._cancel(job_id, owner, operator=False)

    async def cancel_for_operator(self, job_id: str, operator: Requester) -> Job:
        """Stop anybody's job; somebody else's costs its owner nothing.

        Raises:
            JobUnknown: no such job.
            AlreadyFinished: too late, or cancelled before.
        """
        return await self._cancel(job_id, operator, operator=True)

    async def _cancel(self, job_id: str, by: Requester, *, operator: bool) -> Job:
        unpaid_ms = self._dispatcher.off_device_ms
        job = await self._queue.cancel(job_id, by, operator=operator, off_device_ms=unpaid_ms)
        foreign = operator and job.requester != by
        for one in await self._with_others(job):
            self._dispatcher.cancel(one, "operator" if foreign else "owner")
            self._hub.close(one)
        self._dispatcher.wake()
        self._on_owed()
        return job

    async def _with_others(self, job: Job) -> list[str]:
        """Name a job, and the drafts that were asked for with it."""
        if job.group is None:
            return [job.id]
        return [one.id for one in await self._jobs.drafts_of(job.group.id)]

    async def delete(self, job: Job) -> None:
        """Delete ``job`` with its files, and the drafts asked for with it; cancel what lives.

        Raises:
            JobUnknown: it was deleted since.
        """
        await self._end(job)
        for one in await self._with_others(job):
            if one != job.id:
                with suppress(JobUnknown):
                    await self._eraser.delete(one, job.requester)
        await self._eraser.delete(job.id, job.requester)

    async def forget(self, requester: Requester) -> int:
        """Delete all kept of ``requester``, live jobs after a cancel; return how many jobs.

        The ledger keeps what was charged, without what it was for.
        """
        count = 0
        while True:
            for job in await self._jobs.live_of(requester):
                with suppress(JobUnknown):  # deleted by another call meanwhile
                    await self._end(job)
            count += await self._eraser.forget(requester)
            if not await self._jobs.jobs_of(requester, 1):
                return count

    async def _end(self, job: Job) -> None:
        """Cancel ``job`` unless it is over, also where it ended since it was read.

        Raises:
            JobUnknown: it was deleted since.
        """
        if job.group is not None or not job.state.terminal:
            with suppress(AlreadyFinished):
                await self.cancel(job.id, job.requester)

    async def remove_traces(self) -> bool:
        """Remove what deleted rows left in the files of the database; False where later."""
        return await self._eraser.remove_traces()
