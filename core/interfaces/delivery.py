"""The seam to the platforms: one protocol, one implementation per platform."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from core.domain.jobs import Failure, Job
from core.domain.media import Clip
from core.domain.progress import Progress


@dataclass(frozen=True, slots=True)
class DeliveryAttempt:
    """What is known of earlier tries to deliver this job.

    ``ambiguous`` is True where an earlier try began and its outcome was never written, by a crash
    or a timeout: the platform may already show the message, so the delivery must be repeatable
    (edit the stored message, or post with ``nonce``) or look before it posts.
    """

    number: int  # 1 on the first try
    ambiguous: bool
    nonce: str  # at most 25 characters, the same on every try
    sent_id: str | None = None  # of an earlier delivery of the same job, if any


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof of delivery: the platform's own id of the message, for history and edits."""

    sent_id: str


class Delivery(Protocol):
    """Hands progress, clips and failures to the reply addresses of one platform."""

    @property
    def platform(self) -> str:
        """Return the platform whose reply addresses this delivery understands."""
        ...

    async def progress(self, job: Job, event: Progress) -> None:
        """Show how far ``job`` is. Best effort: may drop events, never raises for the platform."""
        ...

    async def completed(self, job: Job, clip: Clip, attempt: DeliveryAttempt) -> Receipt:
        """Hand over ``clip``, exactly once over all attempts.

        Raises:
            DeliveryRetry: not now.
            DeliveryImpossible: never.
        """
        ...

    async def drafts(self, jobs: Sequence[Job], attempt: DeliveryAttempt) -> Receipt:
        """Hand over drafts that were asked for together, exactly once over all attempts.

        Args:
            jobs: all of them in their order; at least one has its clip, the others say why not.
            attempt: what is known of earlier tries.

        Raises:
            DeliveryRetry: not now.
            DeliveryImpossible: never.
        """
        ...

    async def failed(self, job: Job, failure: Failure, attempt: DeliveryAttempt) -> Receipt:
        """Tell the requester that there is no clip (failed, cancelled or expired) and why.

        Raises:
            DeliveryRetry: not now.
            DeliveryImpossible: never.
        """
        ...
