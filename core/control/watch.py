"""The delivery of jobs that commands handed over: to files, while somebody may watch."""

import asyncio
from collections import OrderedDict
from collections.abc import Generator, Sequence
from contextlib import contextmanager

from core.control.reports import GenerationEnded, GenerationProgress, JobReport
from core.delivery.file_delivery import drafts_to_files, put_result
from core.delivery.file_place import FilePlace
from core.domain.jobs import Failure, Job
from core.domain.media import Clip
from core.domain.progress import Progress
from core.errors import DeliveryImpossible
from core.interfaces.delivery import DeliveryAttempt, Receipt

Watched = GenerationProgress | GenerationEnded
_BEHIND = 100  # events of progress; the newest ones count
_REMEMBERED = 100  # ends, for who begins to watch right after one


class WatchedDelivery:
    """Puts clips where reply addresses say; who watches a job learns of it, others need not."""

    def __init__(self, place: FilePlace) -> None:
        """Take the disk that files are written to."""
        self.place = place
        self._watchers: dict[str, list[asyncio.Queue[Watched]]] = {}
        self._ended: OrderedDict[str, GenerationEnded] = OrderedDict()

    @property
    def platform(self) -> str:
        """Return the platform of reply addresses at this place."""
        return self.place.platform

    @contextmanager
    def watched(self, job_id: str) -> Generator["asyncio.Queue[Watched]"]:
        """Give the queue of what happens to a job from now on, and of its end if that was just."""
        events: asyncio.Queue[Watched] = asyncio.Queue(_BEHIND)
        if job_id in self._ended:
            events.put_nowait(self._ended[job_id])
        self._watchers.setdefault(job_id, []).append(events)
        try:
            yield events
        finally:
            self._watchers[job_id].remove(events)
            if not self._watchers[job_id]:
                del self._watchers[job_id]

    async def progress(self, job: Job, event: Progress) -> None:
        """Tell who watches."""
        self._tell(job.id, GenerationProgress(event))

    async def completed(self, job: Job, clip: Clip, attempt: DeliveryAttempt) -> Receipt:
        """Copy the clip and its poster, whole or not at all.

        Raises:
            DeliveryImpossible: it cannot be put there; the clip is kept where it is.
        """
        del attempt
        try:
            target = await put_result(job, clip)
        except DeliveryImpossible as error:
            problem = Failure.of(error)
            self._tell(job.id, GenerationEnded(JobReport.of(job), undelivered=problem))
            raise
        self._tell(job.id, GenerationEnded(JobReport.of(job), file=str(target)))
        return Receipt(str(target))

    async def drafts(self, jobs: Sequence[Job], attempt: DeliveryAttempt) -> Receipt:
        """Copy each clip (:func:`core.delivery.file_delivery.drafts_to_files`)."""
        return await drafts_to_files(self, jobs, attempt)

    async def failed(self, job: Job, failure: Failure, attempt: DeliveryAttempt) -> Receipt:
        """Tell who watches why there is no clip."""
        del failure, attempt
        self._tell(job.id, GenerationEnded(JobReport.of(job)))
        return Receipt(job.id)

    def _tell(self, job_id: str, event: Watched) -> None:
        if isinstance(event, GenerationEnded):
            self._ended[job_id] = event
            if len(self._ended) > _REMEMBERED:
                self._ended.popitem(last=False)
        for events in self._watchers.get(job_id, ()):
            if events.full():
                events.get_nowait()
            events.put_nowait(event)
