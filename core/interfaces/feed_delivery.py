"""The seam to the platforms that have feeds: post a clip there once, and remove it again."""

from typing import Protocol, runtime_checkable

from core.domain.feed import FeedPost
from core.domain.jobs import Job
from core.domain.media import Clip
from core.interfaces.delivery import DeliveryAttempt, Receipt


@runtime_checkable
class FeedDelivery(Protocol):
    """Shows clips in the channels of feeds, beside what a delivery does for reply addresses."""

    async def publish(
        self, post: FeedPost, job: Job, clip: Clip, attempt: DeliveryAttempt
    ) -> Receipt:
        """Show ``clip`` in the channel of ``post``, exactly once over all attempts.

        Raises:
            DeliveryRetry: not now.
            DeliveryImpossible: never.
        """
        ...

    async def remove_post(self, post: FeedPost, attempt: DeliveryAttempt) -> Receipt:
        """Take the message of ``post`` away; it may be gone, or never have come.

        Raises:
            DeliveryRetry: not now.
            DeliveryImpossible: the bot may not.
        """
        ...
