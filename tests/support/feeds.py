"""A platform in memory with a feed: it looks before it posts where an attempt is ambiguous."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from core.domain.feed import ChannelKind, FeedChannel, FeedPost, FeedTarget
from core.domain.jobs import Job
from core.domain.media import Clip
from core.domain.people import Asker, Requester
from core.errors import DeliveryRetry
from core.interfaces.delivery import DeliveryAttempt, Receipt
from core.testing.doubles import RecordingDelivery

PLATFORM = "discord"  # only chats are asked who may use them
PLACE = f"{PLATFORM}:1"
TARGET = FeedTarget(PLATFORM, PLACE, {"channel": "77"}, "#clips")
OPERATOR = Requester(PLATFORM, "900")


@dataclass
class FeedRecording(RecordingDelivery):
    """Remembers the posts that are shown, by nonce, and how often each was posted."""

    platform: str = PLATFORM
    posts: dict[str, FeedPost] = field(default_factory=dict[str, FeedPost])
    posted: list[str] = field(default_factory=list[str])
    removed: list[str] = field(default_factory=list[str])

    @property
    def feed(self) -> Self:
        """Return itself: results and posts go the same way here."""
        return self

    async def publish(
        self, post: FeedPost, job: Job, clip: Clip, attempt: DeliveryAttempt
    ) -> Receipt:
        """Show the clip of ``job``, once.

        Raises:
            DeliveryRetry, DeliveryImpossible: as told.
        """
        assert job.id == post.job_id
        assert clip.path.exists()
        await self.gate.wait()
        fault = self.faults.popleft() if self.faults else None
        if fault is not None and not (isinstance(fault, DeliveryRetry) and fault.sent):
            raise fault
        if not (attempt.ambiguous and attempt.nonce in self.posts):
            self.posted.append(post.id)
            self.posts[attempt.nonce] = post
        self.news.set()
        if fault is not None:
            raise fault
        return Receipt(f"77/{attempt.nonce}")

    async def remove_post(self, post: FeedPost, attempt: DeliveryAttempt) -> Receipt:
        """Remove it, also where it never came."""
        fault = self.faults.popleft() if self.faults else None
        if fault is not None:
            raise fault
        self.posts.pop(attempt.nonce, None)
        self.removed.append(post.id)
        self.news.set()
        return Receipt("")


@dataclass
class FixedDirectory:
    """Knows which channels are for adults, and who has which role."""

    platform: str = PLATFORM
    adult: frozenset[str] = frozenset()
    roles: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])

    async def is_run_by(self, place_id: str, people: Iterable[str]) -> bool:
        """Return True: every place is an operator's own."""
        del place_id, people
        return True

    async def is_member(self, user_id: str, place_id: str) -> bool:
        """Return False."""
        del user_id, place_id
        return False

    async def has_role(self, user_id: str, role_id: str) -> bool:
        """Look the role up."""
        return role_id in self.roles.get(user_id, frozenset())

    def channel(self, address: Mapping[str, str]) -> Asker:
        """Return the channel, and whether it is for adults."""
        channel = address.get("channel", "")
        return Asker(channel, age_gated=channel in self.adult)

    def link_of(self, post: FeedPost) -> str:
        """Return an address once the post is there."""
        return f"https://chat.example/{post.sent_id}" if post.sent_id else ""


def open_feed(target: FeedTarget = TARGET, place: str = PLACE) -> FeedChannel:
    """Return the choice of a channel for the clips of a place."""
    return FeedChannel(place, ChannelKind.FEED, target)
