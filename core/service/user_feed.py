"""What somebody may ask about feeds: publish a clip of theirs, take it down, report a post."""

from dataclasses import dataclass

from core.domain.feed import (
    ChannelKind,
    FeedPost,
    FeedTarget,
    PostContent,
    ReportDecision,
    ReportReason,
    is_private,
    is_veiled,
)
from core.domain.jobs import Job
from core.domain.people import Asker, Caller
from core.errors import FeedClosed, NothingToFetch, NotYours
from core.feed.posts import REPORTED, PostOrder
from core.feed.reports import LOG, DecidedCase
from core.service.user_services import UserServices
from core.service.visible_jobs import VisibleJobs

__all__ = [
    "LOG",
    "REPORTED",
    "DecidedCase",
    "FeedOffer",
    "FeedPost",
    "FeedTarget",
    "ReportDecision",
    "ReportReason",
    "UserFeed",
    "is_private",
    "is_veiled",
]


@dataclass(frozen=True, slots=True)
class FeedOffer:
    """What publishing a clip would do, for its maker to decide."""

    target: FeedTarget
    tells_prompt: bool  # all would read the prompt there, unless its maker keeps it
    post: FeedPost | None  # the clip is, or was, there
    taken_down: bool = False  # by an operator, so it is published there no more


class UserFeed:
    """Takes what makers publish, and what anybody reports."""

    def __init__(self, services: UserServices, visible: VisibleJobs) -> None:
        """Take the parts, and what says which jobs are the caller's, and who is an operator."""
        self._feed = services.feed
        self._access = services.access
        self._owned = services.owned
        self._public = services.public
        self._visible = visible

    async def is_open(self, place: str, platform: str) -> bool:
        """Tell whether clips of a place can be published."""
        return await self._feed.channels.find(place, platform, ChannelKind.FEED) is not None

    async def offer(self, caller: Caller, job_id: str) -> FeedOffer:
        """Say where a clip of the caller would be published, and what all would read.

        Raises:
            JobUnknown, NotYours: there is none, or it belongs to somebody else; an operator's
                right does not help.
            FeedClosed: no channel was chosen for this place.
            NothingToFetch: the clip is gone.
            FeedAway, AccessClosed, RequesterBlocked, PolicyForbids: not there, or not by them.
        """
        job, target, asker = await self._publishable(caller, job_id)
        post = await self._feed.posts.of_job(job.id, target)
        if post is not None and not post.shown and not post.withdrawn:
            post = None  # it could not be posted, and may be tried again
        keys = [one.key for one in await self._owned.keys(caller)]
        removed = post is not None and post.withdrawn_by not in {None, "", *keys}
        return FeedOffer(target, await self._tells(job, target, asker), post, removed)

    async def publish(
        self, caller: Caller, job_id: str, name: str, *, with_prompt: bool
    ) -> FeedPost:
        """Publish a clip of the caller; a second time it is the same post.

        Args:
            caller: its maker, and where they publish it from.
            job_id: which.
            name: how the platform shows the maker.
            with_prompt: all may read the prompt, and make remixes, where the rules let them.

        Raises:
            FeedTakenDown, FeedTooOften: an operator took it down, or they published many.
            ClapperError: as of :meth:`offer`.
        """
        job, target, asker = await self._publishable(caller, job_id)
        tells = with_prompt and await self._tells(job, target, asker)
        content = PostContent(target, name, tells, is_veiled(job))
        keys = tuple(await self._owned.keys(caller))
        order = PostOrder(job.id, caller.requester, keys, caller.place, content)
        return await self._feed.posts.publish(order)

    async def shown(self, caller: Caller, job_id: str) -> FeedPost | None:
        """Return the post of a clip of the caller's own that people see, or will soon.

        It is found also where its feed was closed since.

        Raises:
            JobUnknown, NotYours: there is none, or it belongs to somebody else.
        """
        job = await self._visible.own(caller, job_id)
        return await self._feed.posts.shown_of_job(job.id)

    def link_of(self, post: FeedPost) -> str:
        """Return the address that opens a post; empty while it has none."""
        return self._feed.rules.link_of(post)

    async def post(self, caller: Caller, post_id: str) -> FeedPost:
        """Return a post of the caller's own, or any for an operator.

        Raises:
            PostUnknown: there is none.
            NotYours: it belongs to somebody else.
        """
        found = await self._feed.posts.get(post_id)
        if not (self._visible.is_operator(caller) or await self.is_own(caller, found)):
            raise NotYours(post_id)
        return found

    async def is_own(self, caller: Caller, post: FeedPost) -> bool:
        """Tell whether the caller published a post, on any of their platforms."""
        return post.maker in await self._owned.keys(caller)

    async def seen(self, post_id: str) -> FeedPost:
        """Return a post that the caller sees: what its message shows to all, nothing else.

        Raises:
            PostUnknown: there is none.
        """
        return await self._feed.posts.get(post_id)

    async def take_down(self, caller: Caller, post_id: str) -> FeedPost:
        """Take down a post of the caller's own, or any for an operator.

        Raises:
            PostUnknown, NotYours: there is none, or it belongs to somebody else.
        """
        post = await self.post(caller, post_id)
        own = await self.is_own(caller, post)
        return await self._feed.posts.take_down(post.id, caller.requester, operator=not own)

    async def report(self, caller: Caller, post_id: str, reason: str = "") -> None:
        """Tell operators of a post; once for each person and post.

        Raises:
            PostUnknown: there is none.
            RequesterBlocked: an operator blocked the caller.
            ReportNotTaken: it is their own, was reported by them before, or they reported many.
        """
        await self._feed.reports.report(post_id, caller.requester, reason)

    async def log_lost(self, told: dict[str, str]) -> None:
        """Tell operators in private what their log channel did not take."""
        await self._feed.reports.log_lost(told)

    async def note_message(self, post_id: str, where: str) -> bool:
        """Note the message that a post becomes; False where it becomes another one."""
        return await self._feed.posts.note_message(post_id, where)

    async def _publishable(self, caller: Caller, job_id: str) -> tuple[Job, FeedTarget, Asker]:
        job = await self._visible.own(caller, job_id)
        await self._access.check(caller)
        place, platform = caller.place, caller.requester.platform
        target = await self._feed.channels.find(place, platform, ChannelKind.FEED)
        if target is None:
            raise FeedClosed
        if job.clip is None:
            raise NothingToFetch(job.id)
        asker = await self._feed.rules.check(job, caller.requester, target, caller.earlier)
        return job, target, asker

    async def _tells(self, job: Job, target: FeedTarget, asker: Asker) -> bool:
        """Tell whether the rules let all read the prompt there; a spoiler keeps it."""
        facts = await self._public.caption(job, target.place, age_gated=asker.age_gated)
        return bool(facts.prompt) and not is_veiled(job)
