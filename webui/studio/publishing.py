"""Publish clips of visitors in the feed of all places, and take them down again.

Stricter than chats, where the press is made beside the clip: what was made in private or is veiled
is not published from here, nor what nobody is named for.
"""

from dataclasses import dataclass

from core.domain.jobs import Job
from core.errors import ClapperError, PolicyForbids
from core.i18n.messages import say
from core.service.front_services import FrontServices
from core.service.user_feed import FeedPost, is_private, is_veiled
from webui.auth.visitors import Visitor


@dataclass(frozen=True, slots=True)
class Publication:
    """Where a clip would be published, or is."""

    title: str  # of the channel
    tells_prompt: bool = False  # all would read the prompt there, unless its maker keeps it
    post: FeedPost | None = None  # that people see, or will soon
    link: str = ""  # opens it
    taken_down: bool = False  # by an operator, so it is published there no more


class Publishing:
    """Does what makers want with their own clips: an operator has no part in it."""

    def __init__(self, services: FrontServices) -> None:
        """Take the service."""
        self._feed = services.users.feed
        self._gallery = services.users.gallery

    async def look(self, job_id: str, visitor: Visitor) -> Publication | None:
        """Say where a clip of ``visitor`` is, or would be published; None where it cannot be.

        Whoever asks for none, or somebody else's, is told so by an error.
        """
        post = await self._feed.shown(visitor.caller, job_id)
        if post is not None:
            return self._published(post)
        try:
            await self._allowed(job_id, visitor)
            offer = await self._feed.offer(visitor.caller, job_id)
        except ClapperError:  # there is no feed, or its rules forbid it
            return None
        return Publication(offer.target.title, offer.tells_prompt, taken_down=offer.taken_down)

    async def publish(self, job_id: str, visitor: Visitor, *, with_prompt: bool) -> Publication:
        """Publish a clip of ``visitor``; a second time it is the same post.

        Raises:
            PolicyForbids: it was made in private, is veiled, or nobody is named for it.
            ClapperError: as of :meth:`core.service.user_feed.UserFeed.publish`.
        """
        visitor.require_kept()
        await self._allowed(job_id, visitor)
        name = visitor.account or say("studio_title")
        post = await self._feed.publish(visitor.caller, job_id, name, with_prompt=with_prompt)
        return self._published(post)

    async def take_down(self, job_id: str, visitor: Visitor) -> Publication | None:
        """Take the post of a clip of ``visitor`` down; return what could be done again."""
        post = await self._feed.shown(visitor.caller, job_id)
        if post is not None:
            await self._feed.take_down(visitor.caller, post.id)
        return await self.look(job_id, visitor)

    async def _allowed(self, job_id: str, visitor: Visitor) -> Job:
        job = await self._gallery.own(visitor.caller, job_id)
        if not visitor.credited:
            raise PolicyForbids("rule_unnamed")
        if is_private(job) or is_veiled(job):
            raise PolicyForbids("rule_private")
        return job

    def _published(self, post: FeedPost) -> Publication:
        return Publication(post.target.title, post=post, link=self._feed.link_of(post))
