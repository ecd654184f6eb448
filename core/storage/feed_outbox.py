"""Posts of feeds that are owed to platforms, and those that have to go from them again.

A post that was taken down is owed anew: what has to happen now is that its message goes. Whoever
posts it at that moment is not disturbed; the outcome that they note says that it has to go.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from core.domain.feed import FeedPost, PostState
from core.interfaces.delivery import Receipt
from core.runtime.clock import Clock, now_ms
from core.storage.accounts import add_notice
from core.storage.database import Database
from core.storage.dialects import greater
from core.storage.feed import feed_post
from core.storage.mapping import attempt_of, post_of
from core.storage.owed_rows import (
    ERROR_LENGTH,
    FREE,
    LONGEST_WAIT_MS,
    DeliveryClaim,
    OwedRows,
    is_due,
    resume,
)
from core.storage.tables import job, outbox, shown_clip

NOT_POSTED, NOT_REMOVED = "feed_not_posted", "feed_not_removed"  # codes of notices
_ROW = feed_post.c
_GONE = {"state": PostState.REMOVED.value, "next_at_ms": None, "error": None}


@dataclass(frozen=True, slots=True)
class FeedClaim(DeliveryClaim):
    """One attempt at posting, or at removing where ``post`` was withdrawn before it began."""

    post: FeedPost


class FeedOutbox(OwedRows):
    """The rows of posts on their way; ``dead`` and ``sent`` mean what the attempt was for."""

    def __init__(
        self, database: Database, clock: Clock = now_ms, owner: str = "", lease_ms: int = 0
    ) -> None:
        super().__init__(database, feed_post.c.id, clock, owner, lease_ms)
        self.operators: frozenset[str] = frozenset()  # requester keys
        self.on_notice: Callable[[], None] = lambda: None  # somebody has to be told something

    async def due(self, platform: str, limit: int) -> list[FeedPost]:
        """List at most ``limit`` posts that may be tried now, the longest overdue first."""
        due = is_due(feed_post, self._clock())
        query = sa.select(feed_post).where(due, _ROW.dest == platform)
        async with self._database.snapshot() as connection:
            found = await connection.execute(query.order_by(_ROW.next_at_ms).limit(limit))
            return [post_of(row) for row in found]

    async def begin(self, key: str) -> FeedClaim | None:
        """Note that the platform hears of it now; None where it is not due any more."""
        row = await self._begun(key)
        if row is None:
            return None
        return FeedClaim(key, row.token, attempt_of(row, row.attempts), post_of(row))

    async def sent(self, claim: DeliveryClaim, receipt: Receipt) -> bool:
        """Note that the platform shows it, or does not show it any more.

        What was withdrawn while it was posted is owed anew, to be removed.
        """
        if _removes(claim):
            return await self._removed(claim)
        still = _ROW.withdrawn_by.is_(None)
        now = self._clock()
        return await self._change(
            claim,
            state=sa.case((still, PostState.SENT.value), else_=PostState.PENDING.value),
            next_at_ms=sa.case((still, sa.null()), else_=now),
            attempts=sa.case((still, _ROW.attempts), else_=0),
            sent_id=receipt.sent_id,
            error=None,
            **FREE,
        )

    async def retry(
        self, claim: DeliveryClaim, after_ms: int, error: str, *, ambiguous: bool
    ) -> bool:
        """Put it back, due in ``after_ms``, or at once where it has to go by now."""
        now = self._clock()
        later = now + min(max(0, after_ms), LONGEST_WAIT_MS)
        hurry = not _removes(claim)
        withdrawn = _ROW.withdrawn_by.is_not(None)
        return await self._change(
            claim,
            state=PostState.PENDING.value,
            next_at_ms=sa.case((withdrawn, now), else_=later) if hurry else later,
            error=error[:ERROR_LENGTH],
            ambiguous=greater(_ROW.ambiguous, int(ambiguous)),
            **FREE,
        )

    async def dead(self, claim: DeliveryClaim, reason: str) -> bool:
        """Give up, and owe its maker a word; what may be shown all the same has to go."""
        ours = sa.update(feed_post).where(self._is_of(claim)).returning(feed_post)
        given_up = ours.values(
            state=PostState.DEAD.value, error=reason[:ERROR_LENGTH], next_at_ms=None, **FREE
        )
        async with self._database.transaction(turn=False) as connection:
            row = (await connection.execute(given_up)).first()
            if row is None:
                return False
            post = post_of(row)
            if _removes(claim):
                await self._not_removed(connection, post)
            elif row.ambiguous or row.sent_id is not None or row.withdrawn_by is not None:
                await withdraw(connection, post, row.withdrawn_by or "", self._clock())
            if not post.withdrawn:
                told = {"title": post.target.title, "reason": why_not(reason)}
                await add_notice(connection, post.maker.key, NOT_POSTED, told, self._clock())
        self.on_notice()
        return True

    async def _not_removed(self, connection: AsyncConnection, post: FeedPost) -> None:
        """Have operators told what the bot could not remove; of what was forgotten, no row stays.

        Somebody has to remove it by hand.
        """
        told = {"title": post.target.title, "link": post.sent_id or ""}
        for key in sorted(self.operators):
            await add_notice(connection, key, NOT_REMOVED, told, self._clock())
        if post.withdrawn_by == "":
            await _forget_orphan(connection, post)

    async def _removed(self, claim: DeliveryClaim) -> bool:
        """Note that no message shows it; of what was forgotten not even the row stays."""
        ours = sa.update(feed_post).where(self._is_of(claim)).values(**_GONE, **FREE)
        async with self._database.transaction(turn=False) as connection:
            row = (await connection.execute(ours.returning(feed_post))).first()
            if row is None:
                return False
            await _end(connection, post_of(row))
        return True


def _removes(claim: DeliveryClaim) -> bool:
    return isinstance(claim, FeedClaim) and claim.post.withdrawn


async def withdraw(connection: AsyncConnection, post: FeedPost, by: str, now: int) -> bool:
    """Take a post down, inside a transaction that read it; False where it is down already.

    Args:
        connection: inside a transaction.
        post: which.
        by: the key of who takes it down; empty: nobody in particular.
        now: epoch milliseconds.
    """
    row = (await connection.execute(sa.select(feed_post).where(_ROW.id == post.id))).first()
    if row is None or row.state == PostState.REMOVED.value:
        return False
    values: dict[str, Any] = {"withdrawn_by": by if row.withdrawn_by is None else row.withdrawn_by}
    known = row.sent_id is not None or row.ambiguous
    if row.state != PostState.SENDING.value:
        again = {"state": PostState.PENDING.value, "next_at_ms": now, "attempts": 0}
        values |= again if known else _GONE
    await connection.execute(sa.update(feed_post).where(_ROW.id == post.id).values(**values))
    if row.state != PostState.SENDING.value and not known:
        await _end(connection, post)
    return row.withdrawn_by is None


async def try_again(connection: AsyncConnection, post: FeedPost, now: int) -> None:
    """Owe a post again that was given up; what is known of earlier tries stays."""
    again = {"state": PostState.PENDING.value, "next_at_ms": now, "attempts": 0, "error": None}
    given_up = _ROW.id == post.id, _ROW.state == PostState.DEAD.value
    await connection.execute(sa.update(feed_post).where(*given_up).values(**again))


async def _end(connection: AsyncConnection, post: FeedPost) -> None:
    """Let nobody read by a message that is gone; forget a post whose job is forgotten."""
    there = (shown_clip.c.job_id == post.job_id) & (shown_clip.c.post == (post.sent_id or ""))
    await connection.execute(sa.delete(shown_clip).where(there))
    await _forget_orphan(connection, post)


async def _forget_orphan(connection: AsyncConnection, post: FeedPost) -> None:
    job_there = sa.exists().where(job.c.id == _ROW.job_id)
    await connection.execute(sa.delete(feed_post).where(_ROW.id == post.id, ~job_there))


async def drop_removed(connection: AsyncConnection, posts: Iterable[FeedPost]) -> None:
    """Forget those of ``posts`` that are gone and whose job is; others go when they are gone."""
    job_there = sa.exists().where(job.c.id == _ROW.job_id)
    these = _ROW.id.in_([post.id for post in posts])
    gone = _ROW.state == PostState.REMOVED.value
    await connection.execute(sa.delete(feed_post).where(these, gone, ~job_there))


def why_not(reason: str) -> str:
    """Return the word for why a post was given up, as its maker reads it."""
    if reason.startswith("rule_"):
        return reason
    known = {"clip_deleted": "feed_why_gone", "requester_blocked": "feed_why_blocked"}
    return known.get(reason, "feed_why_platform")


async def resume_all(connection: AsyncConnection, now: int) -> int:
    """Make everything due again, results and posts, that was cut off; return how many."""
    keys = (outbox.c.job_id, feed_post.c.id)
    return sum([await resume(connection, key, now) for key in keys])


async def drop_old(connection: AsyncConnection, before: int, limit: int) -> int:
    """Forget posts that no message shows and whose job is gone; return how many."""
    over = _ROW.state.in_((PostState.REMOVED.value, PostState.DEAD.value))
    job_there = sa.exists().where(job.c.id == _ROW.job_id)
    old = sa.select(_ROW.id).where(over, _ROW.created_at_ms < before, ~job_there).limit(limit)
    return (await connection.execute(sa.delete(feed_post).where(_ROW.id.in_(old)))).rowcount
