"""The parts of this package, made together."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from core.accounts.community import Community
from core.feed.channels import FeedChannels
from core.feed.posts import FeedPosts
from core.feed.reports import FeedReports
from core.feed.rules import FeedRules
from core.storage.database import Database


@dataclass(frozen=True, slots=True)
class Feed:
    """One of each, on the same database."""

    channels: FeedChannels
    posts: FeedPosts
    reports: FeedReports
    rules: FeedRules

    @classmethod
    def on(
        cls,
        database: Database,
        now: Callable[[], int],
        community: Community,
        operators: frozenset[str],
        on_owed: Callable[[], None],
    ) -> Self:
        """Make all parts; ``on_owed`` is called when a platform has something to do."""
        return cls(
            FeedChannels(database, now),
            FeedPosts(database, now, community.notices, on_owed),
            FeedReports(database, now, operators, community.notices, on_owed),
            FeedRules(community.access, community.moderation),
        )
