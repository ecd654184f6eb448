"""The seam to what a platform knows of its people: who owns a place, who is a member of it."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from core.domain.feed import FeedPost
from core.domain.people import Asker


class PeopleDirectory(Protocol):
    """Answers for one platform; what cannot be found out is answered by no."""

    platform: str

    async def is_run_by(self, place_id: str, people: Iterable[str]) -> bool:
        """Tell whether one of ``people`` (user ids), or who made the bot, owns or manages it."""
        ...

    async def is_member(self, user_id: str, place_id: str) -> bool:
        """Tell whether somebody belongs to a server or group."""
        ...

    async def has_role(self, user_id: str, role_id: str) -> bool:
        """Tell whether somebody has a role, wherever they ask."""
        ...

    def channel(self, address: Mapping[str, str]) -> Asker:
        """Return what is known of the channel of an address, as of who asks there, without roles.

        The address is in the platform's own form, as of a reply or of a feed.
        """
        ...

    def link_of(self, post: FeedPost) -> str:
        """Return the address that opens a post of a feed; empty while it has none."""
        ...
