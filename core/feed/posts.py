"""Publish clips, and take them down."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from uuid import uuid4

from core.accounts.moderation import refuse_blocked
from core.accounts.notices import Notices
from core.domain.feed import (
    NAME_LENGTH,
    CaseState,
    FeedPost,
    FeedTarget,
    PostContent,
    PostState,
)
from core.domain.people import Requester
from core.domain.time_units import HOUR_MS
from core.errors import FeedTakenDown, FeedTooOften, PostUnknown
from core.storage import accounts, feed_outbox, moderation
from core.storage import feed as rows
from core.storage.database import Connection, Database

MOST_AN_HOUR = 10  # posts of one person; a feed is read by everybody
TAKEN_DOWN = "feed_removed"  # the code of the notice to a maker
REPORTED = "feed_reported"  # the code of the notice to operators


@dataclass(frozen=True, slots=True)
class PostOrder:
    """What its maker wants to be published."""

    job_id: str
    maker: Requester
    keys: tuple[Requester, ...]  # in whose names jobs are the maker's
    source: str  # the place where they publish it
    content: PostContent


class FeedPosts:
    """Owes posts to their platforms, and has them removed again."""

    def __init__(
        self,
        database: Database,
        now: Callable[[], int],
        notices: Notices,
        on_owed: Callable[[], None],
    ) -> None:
        """Take the database, the time (epoch ms), and who is told that something is owed."""
        self._database = database
        self._now = now
        self._notices = notices
        self._on_owed = on_owed

    async def get(self, post_id: str) -> FeedPost:
        """Return one post.

        Raises:
            PostUnknown: there is none, or nobody needs to know of it any more.
        """
        async with self._database.snapshot() as connection:
            return await require(connection, post_id)

    async def find(self, typed: str) -> FeedPost:
        """Return the one post that an operator means, by its id, its clip's, or its message's.

        Raises:
            PostUnknown: none is meant, or more than one.
        """
        async with self._database.snapshot() as connection:
            found = await rows.find_post(connection, typed)
        if found is None:
            raise PostUnknown(typed[:60])
        return found

    async def of_job(self, job_id: str, target: FeedTarget) -> FeedPost | None:
        """Return the newest post of a clip in a channel, None where there was none."""
        async with self._database.snapshot() as connection:
            return await _newest(connection, job_id, target)

    async def shown_of_job(self, job_id: str) -> FeedPost | None:
        """Return the newest post of a clip that people see, or will soon; None where none is."""
        async with self._database.snapshot() as connection:
            posts = await rows.posts_of_job(connection, job_id)
        return next((one for one in posts if one.shown), None)

    async def newest(self, limit: int) -> list[FeedPost]:
        """List the newest posts of all feeds."""
        async with self._database.snapshot() as connection:
            return await rows.newest_posts(connection, limit)

    async def publish(self, order: PostOrder) -> FeedPost:
        """Owe a post; where the clip is in that channel already, or on its way, that one is it.

        Raises:
            RequesterBlocked: an operator blocked the maker.
            FeedTakenDown: an operator took it down before.
            FeedTooOften: they published too many within an hour.
        """
        keys, now = [one.key for one in order.keys], self._now()
        async with self._database.transaction() as connection:
            await refuse_blocked(connection, keys)
            known = await _newest(connection, order.job_id, order.content.target)
            if known is not None and known.withdrawn_by not in {None, "", *keys}:
                raise FeedTakenDown
            if known is not None and known.state is PostState.DEAD and not known.withdrawn:
                await feed_outbox.try_again(connection, known, now)
            elif known is None or not known.shown:
                if await rows.count_since(connection, keys, now - HOUR_MS) >= MOST_AN_HOUR:
                    raise FeedTooOften(MOST_AN_HOUR)
                known = _new(order, now)
                await rows.add_post(connection, known, now)
            kept = await _newest(connection, order.job_id, order.content.target)
        self._on_owed()
        return kept or known

    async def take_down(self, post_id: str, actor: Requester, *, operator: bool) -> FeedPost:
        """Take a post down; what an operator does is written down, and told to its maker.

        Raises:
            PostUnknown: there is none.
        """
        async with self._database.transaction() as connection:
            post = await require(connection, post_id)
            await take_down(connection, post, actor, self._now(), operator=operator)
        self._told()
        return post

    async def withdraw_job(self, job_id: str) -> list[FeedPost]:
        """Take down every post of a clip that its maker deletes."""
        async with self._database.transaction() as connection:
            found = await rows.posts_of_job(connection, job_id)
            await self._withdraw(connection, found)
        if found:
            self._on_owed()
        return found

    async def withdraw_all(self, maker: Requester) -> list[FeedPost]:
        """Take down every post of somebody, and drop what they reported."""
        async with self._database.transaction() as connection:
            said = await rows.forget_reports(connection, maker.key)
            await accounts.change_notices(connection, partial(_without_reason, said))
            found = await rows.posts_of_maker(connection, maker.key)
            await self._withdraw(connection, found)
        if found:
            self._on_owed()
        return found

    async def drop(self, posts: Iterable[FeedPost]) -> None:
        """Forget posts whose clips were deleted; those still shown when they are gone."""
        these = list(posts)
        if these:
            async with self._database.transaction(turn=False) as connection:
                await feed_outbox.drop_removed(connection, these)

    async def note_message(self, post_id: str, where: str) -> bool:
        """Note the message that a post becomes; False where it becomes another one."""
        async with self._database.transaction(turn=False) as connection:
            return await rows.note_message(connection, post_id, where)

    async def _withdraw(self, connection: Connection, found: list[FeedPost]) -> None:
        for one in found:
            await feed_outbox.withdraw(connection, one, "", self._now())
            nameless = replace(one.content, maker_name="")  # to remove it nobody has to be known
            await rows.set_content(connection, one.id, nameless)

    def _told(self) -> None:
        self._notices.wake()
        self._on_owed()


def _without_reason(said: set[tuple[str, str]], code: str, data: dict[str, str]) -> dict[str, str]:
    """Return the data of a notice without the words of a report that is forgotten."""
    forgotten = code == REPORTED and (data.get("post", ""), data.get("why", "")) in said
    return {**data, "why": ""} if forgotten else data


async def take_down(
    connection: Connection, post: FeedPost, actor: Requester, now: int, *, operator: bool
) -> None:
    """Take a post down, inside a transaction that read it."""
    done = await feed_outbox.withdraw(connection, post, actor.key, now)
    if post.case is CaseState.OPEN:
        await rows.set_case(connection, post.id, CaseState.UPHELD)
    if not (done and operator):
        return
    await moderation.note(connection, now, actor.key, "feed_take_down", post.id, post.maker.key)
    told = {"title": post.target.title}
    await accounts.add_notice(connection, post.maker.key, TAKEN_DOWN, told, now)


async def require(connection: Connection, post_id: str) -> FeedPost:
    """Read one post, inside a transaction.

    Raises:
        PostUnknown: there is none.
    """
    found = await rows.post(connection, post_id)
    if found is None:
        raise PostUnknown(post_id[:60])
    return found


async def _newest(connection: Connection, job_id: str, target: FeedTarget) -> FeedPost | None:
    posts = await rows.posts_of_job(connection, job_id)
    same = [one for one in posts if one.target.key == target.key]
    return next((one for one in same if one.shown), same[0] if same else None)


def _new(order: PostOrder, now: int) -> FeedPost:
    named = replace(order.content, maker_name=order.content.maker_name[:NAME_LENGTH])
    return FeedPost(
        uuid4().hex, order.job_id, order.maker, order.source, named, PostState.PENDING, now
    )
