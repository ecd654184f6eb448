"""The seam to the platforms that have feeds: post a clip there once, and remove it again."""

from typing import Protocol, runtime_checkable

from core.domain.feed import FeedPost
from core.domain.jobs import Job
from core.domain.media import Clip
from core.interfaces.delivery import DeliveryAttempt, Receipt


class FeedDelivery(Protocol):
    """Shows clips in the channels of feeds."""

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


@runtime_checkable
class HasFeeds(Protocol):
    """What the delivery of a platform that has feeds offers beside results."""

    @property
    def feed(self) -> FeedDelivery:
        """Return what shows clips in its feeds."""
        ...
