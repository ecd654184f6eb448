"""What the rules say where a feed is: asked when a clip is published, and when it is posted."""

from core.accounts.access import AccessList
from core.accounts.moderation import Moderation
from core.domain.feed import FeedPost, FeedTarget
from core.domain.jobs import Job
from core.domain.people import Asker, Requester
from core.errors import FeedAway, PolicyForbids
from core.interfaces.directory import PeopleDirectory


class FeedRules:
    """Asks the rules of the channel, with its maker as if they asked for the clip there."""

    def __init__(self, access: AccessList, moderation: Moderation) -> None:
        self._access = access
        self._moderation = moderation

    async def check(
        self, job: Job, maker: Requester, target: FeedTarget, earlier: tuple[Requester, ...] = ()
    ) -> Asker:
        """Refuse a clip that could not be made where it would be shown.

        A clip from a channel for adults is shown in no other.

        Args:
            job: with its clip.
            maker: who publishes it.
            target: the channel.
            earlier: other keys of the same person that are joined to nothing.

        Returns:
            From where in the place it would be asked for.

        Raises:
            FeedAway: nobody here knows the channel's platform.
            RequesterBlocked: an operator blocked the maker.
            PolicyForbids: a rule of the place, or of all places.
        """
        asker = await self._asker(maker, target)
        await self._moderation.admit(job.request, maker, target.place, asker, earlier)
        if job.clip is not None and job.clip.prompt_used:
            await self._moderation.admit_text(job.clip.prompt_used, target.place, asker)
        if not asker.age_gated and await self._comes_from_adults(job):
            raise PolicyForbids("rule_age_gated")
        return asker

    async def check_channel(self, target: FeedTarget) -> None:
        """Refuse a channel in which the rules of its place let nobody ask for anything.

        Raises:
            FeedAway: nobody here knows the channel's platform.
            PolicyForbids: the rule.
        """
        directory = self._directory(target)
        there = directory.channel(target.address)
        for policy in await self._moderation.policies(target.place):
            if policy.channels and not {there.channel, there.parent} & set(policy.channels):
                raise PolicyForbids("rule_channel")

    async def _asker(self, maker: Requester, target: FeedTarget) -> Asker:
        directory = self._directory(target)
        wanted = {
            role for one in await self._moderation.policies(target.place) for role in one.roles
        }
        roles = frozenset(
            [
                role
                for role in sorted(wanted)
                if maker.platform == target.platform
                and await directory.has_role(maker.user_id, role)
            ]
        )
        there = directory.channel(target.address)
        return Asker(there.channel, roles, there.parent, there.age_gated)

    def link_of(self, post: FeedPost) -> str:
        """Return the address that opens a post; empty while it has none, or nobody here knows."""
        directory = self._access.directory(post.target.platform)
        return "" if directory is None else directory.link_of(post)

    def _directory(self, target: FeedTarget) -> PeopleDirectory:
        found = self._access.directory(target.platform)
        if found is None:
            raise FeedAway(target.platform)
        return found

    async def _comes_from_adults(self, job: Job) -> bool:
        directory = self._access.directory(job.reply_to.platform)
        return directory is not None and directory.channel(job.reply_to.address).age_gated
