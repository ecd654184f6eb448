"""The Studio's side of the outbox: nothing is sent, because the page looks at the job's row."""

from core.delivery import Attempt, Receipt
from core.jobs import Failure, Job, ReplyTo
from core.media.kinds import Clip
from core.progress import Progress

PLATFORM = "studio"


def reply_to_page() -> ReplyTo:
    """Return the reply address of every Studio job: the history of whoever owns it."""
    return ReplyTo(PLATFORM)


class StudioDelivery:
    """Implements :class:`core.delivery.Delivery`; a settled row is a published clip."""

    platform = PLATFORM

    async def progress(self, job: Job, event: Progress) -> None:
        """Drop it: pages read the hub through the service."""

    async def completed(self, job: Job, clip: Clip, attempt: Attempt) -> Receipt:
        """Return at once: the row and the file are there, and their owner may open them."""
        del clip, attempt
        return Receipt(job.id)

    async def failed(self, job: Job, failure: Failure, attempt: Attempt) -> Receipt:
        """Return at once: the row says why."""
        del failure, attempt
        return Receipt(job.id)
