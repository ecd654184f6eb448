"""Posts of feeds as they are owed: shown once, by the rules of that moment, and removed again."""

from collections.abc import Awaitable, Callable

from core.delivery.owed import OwedItem
from core.delivery.results import brought
from core.domain.feed import FeedPost
from core.domain.jobs import Job
from core.errors import (
    DeliveryImpossible,
    DeliveryRetry,
    FeedAway,
    JobUnknown,
    PolicyForbids,
    RequesterBlocked,
    RequestUnreadable,
)
from core.interfaces.artefacts import Artefacts, names_of_clip
from core.interfaces.delivery import Delivery, Receipt
from core.interfaces.feed_delivery import HasFeeds
from core.storage.feed_outbox import FeedClaim, FeedOutbox

GONE = "clip_deleted"


class OwedPosts:
    """Implements :class:`core.delivery.owed.OwedKind` for posts."""

    def __init__(
        self,
        rows: FeedOutbox,
        artefacts: Artefacts,
        load: Callable[[str], Awaitable[Job]],
        check: Callable[[FeedPost, Job], Awaitable[None]],
    ) -> None:
        """Take what is owed, where clips are kept, how jobs are read and rules are asked."""
        self.rows = rows
        self._artefacts = artefacts
        self._load = load
        self._check = check

    async def due(self, platform: str, limit: int) -> list[OwedItem]:
        """List posts that are due."""
        due = await self.rows.due(platform, limit)
        return [OwedItem(post.id, self.rows, self._hand_over) for post in due]

    async def _hand_over(self, delivery: Delivery, claim: FeedClaim) -> Receipt:
        """Show what was not taken down before this attempt, or remove it.

        Raises:
            DeliveryImpossible: its clip is gone, the rules forbid it, or the platform does.
            DeliveryRetry: not now.
        """
        if not isinstance(delivery, HasFeeds):
            raise DeliveryImpossible("no_feed")
        feed, post = delivery.feed, claim.post
        if post.withdrawn:
            return await feed.remove_post(post, claim.attempt)
        job = await self._allowed(post)
        if job.clip is None:
            raise DeliveryImpossible(GONE)
        with self._artefacts.in_use(*names_of_clip(job.clip)):
            if (await brought(self._artefacts, job)).clip is None:
                raise DeliveryImpossible(GONE)
            return await feed.publish(post, job, job.clip, claim.attempt)

    async def _allowed(self, post: FeedPost) -> Job:
        try:
            job = await self._load(post.job_id)
            await self._check(post, job)
        except (JobUnknown, RequestUnreadable) as error:
            raise DeliveryImpossible(GONE) from error
        except PolicyForbids as error:
            raise DeliveryImpossible(error.rule) from error
        except RequesterBlocked as error:
            raise DeliveryImpossible(error.code) from error
        except FeedAway as error:
            raise DeliveryRetry(error.code) from error
        return job
