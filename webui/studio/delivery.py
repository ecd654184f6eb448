"""The Studio's side of the outbox: nothing is sent, because the page looks at the job's row."""

from collections.abc import Sequence

from core.domain.jobs import Failure, Job, ReplyTo
from core.domain.media import Clip
from core.domain.progress import Progress
from core.interfaces.delivery import DeliveryAttempt, Receipt
from webui.auth.visitors import (
    PLATFORM,
)


def reply_to_page() -> ReplyTo:
    """Return the reply address of every Studio job: the history of whoever owns it."""
    return ReplyTo(PLATFORM)


class StudioDelivery:
    """Implements :class:`core.interfaces.delivery.Delivery`; a settled row is a published clip."""

    platform = PLATFORM

    async def progress(self, job: Job, event: Progress) -> None:
        """Drop it: pages read the hub through the service."""

    async def completed(self, job: Job, clip: Clip, attempt: DeliveryAttempt) -> Receipt:
        """Return at once: the row and the file are there, and their owner may open them."""
        del clip, attempt
        return Receipt(job.id)

    async def drafts(self, jobs: Sequence[Job], attempt: DeliveryAttempt) -> Receipt:
        """Return at once: their rows are there."""
        del attempt
        return Receipt(jobs[0].id)

    async def failed(self, job: Job, failure: Failure, attempt: DeliveryAttempt) -> Receipt:
        """Return at once: the row says why."""
        del failure, attempt
        return Receipt(job.id)
