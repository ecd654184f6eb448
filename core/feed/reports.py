"""Reports of posts: anybody makes them, operators answer them."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from core.accounts.moderation import refuse_blocked
from core.accounts.notices import Notices
from core.domain.feed import (
    REASON_LENGTH,
    CaseState,
    ChannelKind,
    FeedPost,
    ReportDecision,
)
from core.domain.people import Requester
from core.domain.time_units import HOUR_MS
from core.errors import ReportNotTaken
from core.feed.channels import find_channel
from core.feed.posts import REPORTED, require, take_down
from core.storage import accounts, moderation
from core.storage import feed as rows
from core.storage.database import Connection, Database
from core.storage.feed import FeedReport

MOST_AN_HOUR = 5  # reports of one person
LOG = "log"  # the field of a notice that names a channel: it is for all who read there


@dataclass(frozen=True, slots=True)
class DecidedCase:
    """What an operator decided, and of how many reports."""

    post: FeedPost
    reports: int


class FeedReports:
    """Passes reports on to operators, and does what they decide."""

    def __init__(
        self,
        database: Database,
        now: Callable[[], int],
        operators: frozenset[str],
        notices: Notices,
        on_owed: Callable[[], None],
    ) -> None:
        """Take the database, the time (epoch ms), who decides, and who is told what."""
        self._database = database
        self._now = now
        self._operators = operators
        self._notices = notices
        self._on_owed = on_owed

    async def report(self, post_id: str, reporter: Requester, reason: str = "") -> None:
        """Keep a report; the first one of a post is told to operators, with what they can do.

        Args:
            post_id: which post.
            reporter: who reports it; operators are not told.
            reason: a member of :class:`core.domain.feed.ReportReason`, or words; may be empty.

        Raises:
            PostUnknown: there is none.
            RequesterBlocked: an operator blocked who reports.
            ReportNotTaken: it is their own, was reported by them before, or they reported many.
        """
        now = self._now()
        async with self._database.transaction() as connection:
            post = await require(connection, post_id)
            keys = await accounts.keys_of(connection, reporter.key)
            await refuse_blocked(connection, keys)
            if post.maker.key in keys:
                raise ReportNotTaken("report_own_why")
            if not post.shown:
                raise ReportNotTaken("report_gone_why")
            if await rows.reports_since(connection, reporter.key, now - HOUR_MS) >= MOST_AN_HOUR:
                raise ReportNotTaken("report_often_why")
            shown = " ".join(reason.split())[:REASON_LENGTH]
            if not await rows.add_report(connection, FeedReport(post.id, reporter, shown, now)):
                raise ReportNotTaken("report_known_why")
            if post.case is CaseState.NONE:
                await rows.set_case(connection, post.id, CaseState.OPEN)
                await self._tell(connection, post, shown, now)
        self._notices.wake()

    async def _tell(self, connection: Connection, post: FeedPost, reason: str, now: int) -> None:
        told = {"post": post.id, "who": post.maker.key, "title": post.target.title, "why": reason}
        target = post.target
        places = target.place, post.source
        log = await find_channel(connection, places, target.platform, ChannelKind.LOG)
        if log is not None:
            told |= {LOG: json.dumps(log.address)}
            await accounts.add_notice(connection, f"{log.platform}:", REPORTED, told, now)
            return
        await self._tell_each(connection, told, now)

    async def _tell_each(self, connection: Connection, told: dict[str, str], now: int) -> None:
        for key in sorted(self._operators):
            await accounts.add_notice(connection, key, REPORTED, told, now)

    async def log_lost(self, told: dict[str, str]) -> None:
        """Tell operators in private what their log channel does not take."""
        private = {key: value for key, value in told.items() if key != LOG}
        async with self._database.transaction() as connection:
            await self._tell_each(connection, private, self._now())
        self._notices.wake()

    async def counts(self, post_ids: Iterable[str]) -> dict[str, int]:
        """Count the reports of each post; those that nobody reported are left out."""
        async with self._database.snapshot() as connection:
            return await rows.report_counts(connection, post_ids)

    async def decide(
        self, actor: Requester, post_id: str, decision: ReportDecision
    ) -> DecidedCase | None:
        """Answer the reports of a post.

        Returns:
            What was decided; None where another operator did, and nothing was changed.
        """
        now = self._now()
        async with self._database.transaction() as connection:
            post = await rows.post(connection, post_id)
            if post is None or post.case is not CaseState.OPEN:
                return None
            if decision is ReportDecision.DISMISS:
                await rows.set_case(connection, post.id, CaseState.DISMISSED)
                await moderation.note(connection, now, actor.key, "feed_dismiss", post.id, "")
            else:
                await take_down(connection, post, actor, now, operator=True)
            if decision is ReportDecision.BLOCK:
                person = post.maker.key
                await accounts.block_account(connection, person, "", now)
                await moderation.note(connection, now, actor.key, "block", person, "")
            counts = await rows.report_counts(connection, [post.id])
        self._notices.wake()
        self._on_owed()
        return DecidedCase(post, counts.get(post.id, 0))
