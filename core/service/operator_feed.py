"""What operators do about feeds, all of it written into the audit log."""

from collections.abc import Iterable
from dataclasses import dataclass

from core.domain.feed import ChannelKind, FeedChannel, FeedPost, FeedTarget, ReportDecision
from core.domain.people import Requester
from core.feed.feed import Feed
from core.feed.reports import DecidedCase

__all__ = ["ChannelKind", "DecidedCase", "FeedChannel", "FeedTarget", "OperatorFeed"]


@dataclass(frozen=True, slots=True)
class OperatorFeed:
    """Takes the orders of one operator; :class:`OperatorApi` gives it."""

    _feed: Feed
    _operator: Requester

    async def channels(self, place: str | None = None) -> list[FeedChannel]:
        """List the channels that hold in a place; without one, all of them."""
        return await self._feed.channels.listed(place)

    async def choose(self, place: str, kind: ChannelKind, target: FeedTarget) -> None:
        """Let clips of ``place`` be published, or reports be read, in a channel.

        Raises:
            FeedAway: nobody here knows the channel's platform.
            PolicyForbids: the rules there let nobody ask in that channel, so nothing could come.
        """
        if kind is ChannelKind.FEED:
            await self._feed.rules.check_channel(target)
        await self._feed.channels.choose(self._operator, FeedChannel(place, kind, target))

    async def drop(self, place: str, kind: ChannelKind) -> bool:
        """Forget the channels of a kind for a place; posts in them stay. False without any."""
        return await self._feed.channels.drop(self._operator, place, kind)

    async def posts(self, limit: int) -> list[FeedPost]:
        """List the newest posts of all feeds."""
        return await self._feed.posts.newest(limit)

    async def report_counts(self, posts: Iterable[FeedPost]) -> dict[str, int]:
        """Count the reports of each post, by its id; those that nobody reported are left out."""
        return await self._feed.reports.counts(post.id for post in posts)

    async def take_down(self, typed: str) -> FeedPost:
        """Take down the post that is meant: by its id, its clip's, or ``channel/message``.

        Raises:
            PostUnknown: none is meant, or more than one.
        """
        post = await self._feed.posts.find(typed.strip())
        return await self._feed.posts.take_down(post.id, self._operator, operator=True)

    async def decide(self, post_id: str, decision: ReportDecision) -> DecidedCase | None:
        """Answer the reports of a post; None where another operator did."""
        return await self._feed.reports.decide(self._operator, post_id, decision)
