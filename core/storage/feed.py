"""Rows of feeds: their channels, the posts in them, and who reported which.

Functions on a connection; the callers own the transaction. How a post goes to its platform is in
:mod:`core.storage.feed_outbox`.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from core.domain.decoding import parse_object
from core.domain.feed import (
    CaseState,
    ChannelKind,
    FeedChannel,
    FeedPost,
    FeedTarget,
    PostContent,
    PostState,
)
from core.domain.people import Requester
from core.storage.dialects import insert_into, upsert
from core.storage.job_moves import NONCE_LENGTH
from core.storage.mapping import post_of
from core.storage.tables import INTEGER, METADATA, index_some

feed_channel = sa.Table(
    "feed_channel",
    METADATA,
    sa.Column("place", sa.Text, primary_key=True),  # core.domain.policy.EVERYWHERE: of all places
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("platform", sa.Text, primary_key=True),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("updated_at_ms", INTEGER, nullable=False),
)
feed_post = sa.Table(
    "feed_post",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("job_id", sa.Text, nullable=False),  # which may be gone
    sa.Column("target_key", sa.Text, nullable=False),  # core.domain.feed.FeedTarget.key
    sa.Column("maker_key", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("dest", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("nonce", sa.Text, nullable=False),
    sa.Column("attempts", INTEGER, nullable=False),
    sa.Column("next_at_ms", INTEGER),
    sa.Column("began_at_ms", INTEGER),
    sa.Column("ambiguous", INTEGER, nullable=False),
    sa.Column("sent_id", sa.Text),
    sa.Column("error", sa.Text),
    sa.Column("owner", sa.Text),
    sa.Column("token", sa.Text),
    sa.Column("lease_until_ms", INTEGER),
    sa.Column("created_at_ms", INTEGER, nullable=False),
    sa.Column("withdrawn_by", sa.Text),  # None: nobody took it down
    sa.Column("case_state", sa.Text, nullable=False),
    sa.Index("feed_post_of_job", "job_id"),
    sa.Index("feed_post_of", "maker_key", "created_at_ms"),
)
_IN = feed_post.c
index_some("feed_post_due", _IN.next_at_ms, _IN.dest, where=_IN.next_at_ms.is_not(None))
index_some("feed_post_sending", _IN.state, where=sa.text("state = 'sending'"))
index_some(
    "feed_post_once",
    _IN.job_id,
    _IN.target_key,
    where=sa.text("state <> 'removed'"),
    unique=True,
)
feed_report = sa.Table(
    "feed_report",
    METADATA,
    sa.Column("post_id", sa.Text, sa.ForeignKey("feed_post.id", ondelete="CASCADE")),
    sa.Column("reporter_key", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at_ms", INTEGER, nullable=False),
    sa.PrimaryKeyConstraint("post_id", "reporter_key"),
    sa.Index("feed_report_of", "reporter_key", "at_ms"),
)


@dataclass(frozen=True, slots=True)
class FeedReport:
    """What somebody reported of a post; ``at_ms`` is epoch."""

    post_id: str
    reporter: Requester
    reason: str
    at_ms: int


async def save_channel(connection: AsyncConnection, channel: FeedChannel, now: int) -> None:
    """Keep a channel, in the place of the one of its kind and platform."""
    key = {"place": channel.place, "kind": channel.kind.value}
    body = json.dumps(asdict(channel.target))
    values = {**key, "platform": channel.target.platform, "body": body, "updated_at_ms": now}
    await upsert(connection, feed_channel, [values])


async def drop_channels(connection: AsyncConnection, place: str, kind: ChannelKind) -> bool:
    """Forget the channels of a kind for a place; False where there is none."""
    at = (feed_channel.c.place == place) & (feed_channel.c.kind == kind.value)
    return (await connection.execute(sa.delete(feed_channel).where(at))).rowcount > 0


async def channels(
    connection: AsyncConnection, places: Iterable[str] | None = None
) -> list[FeedChannel]:
    """List the channels of some places, or all of them, in a fixed order."""
    order = feed_channel.c.place, feed_channel.c.kind, feed_channel.c.platform
    query = sa.select(feed_channel).order_by(*order)
    if places is not None:
        query = query.where(feed_channel.c.place.in_(list(places)))
    found: list[FeedChannel] = []
    for row in await connection.execute(query):
        target = FeedTarget.from_json(parse_object(row.body))
        if target is not None and row.kind in set(ChannelKind):  # or of another version
            found.append(FeedChannel(row.place, ChannelKind(row.kind), target))
    return found


async def move_channels(connection: AsyncConnection, old: str, new: str, now: int) -> None:
    """Let the channels of and in a place follow it to its new name."""
    for one in await channels(connection):
        if old not in {one.place, one.target.place}:
            continue
        at = (feed_channel.c.place == one.place) & (feed_channel.c.kind == one.kind.value)
        await connection.execute(
            sa.delete(feed_channel).where(at, feed_channel.c.platform == one.target.platform)
        )
        place = new if one.place == old else one.place
        await save_channel(
            connection, FeedChannel(place, one.kind, one.target.moved(old, new)), now
        )


async def move_posts(connection: AsyncConnection, old: str, new: str) -> None:
    """Let posts in a place follow it, so that no clip is published there a second time."""
    for one in await _listed(connection, _IN.body.contains(json.dumps(old), autoescape=True)):
        there = replace(one.content, target=one.target.moved(old, new))
        await set_content(connection, one.id, there)


async def add_post(connection: AsyncConnection, post: FeedPost, now: int) -> None:
    """Owe a post to its platform; nothing where there is one of the clip in that channel."""
    values = {
        "id": post.id,
        "job_id": post.job_id,
        "target_key": post.target.key,
        "maker_key": post.maker.key,
        "source": post.source,
        "dest": post.target.platform,
        "body": json.dumps(asdict(post.content)),
        "state": PostState.PENDING.value,
        "nonce": post.id[:NONCE_LENGTH],
        "attempts": 0,
        "next_at_ms": now,
        "ambiguous": 0,
        "created_at_ms": now,
        "case_state": CaseState.NONE.value,
    }
    added = insert_into(connection.dialect.name, feed_post).values(values)
    await connection.execute(added.on_conflict_do_nothing())


async def post(connection: AsyncConnection, post_id: str) -> FeedPost | None:
    """Read one post, None where there is none."""
    query = sa.select(feed_post).where(feed_post.c.id == post_id)
    row = (await connection.execute(query)).first()
    return None if row is None else post_of(row)


async def posts_of_job(connection: AsyncConnection, job_id: str) -> list[FeedPost]:
    """List the posts of a clip, the newest first."""
    return await _listed(connection, feed_post.c.job_id == job_id)


async def posts_of_maker(connection: AsyncConnection, maker_key: str) -> list[FeedPost]:
    """List the posts of somebody, the newest first."""
    return await _listed(connection, feed_post.c.maker_key == maker_key)


async def newest_posts(connection: AsyncConnection, limit: int) -> list[FeedPost]:
    """List the newest posts of all places."""
    query = sa.select(feed_post).order_by(feed_post.c.created_at_ms.desc(), feed_post.c.id)
    return [post_of(row) for row in await connection.execute(query.limit(limit))]


async def find_post(connection: AsyncConnection, typed: str) -> FeedPost | None:
    """Find the one post whose id, or whose clip's id, begins with ``typed``, or which is there.

    ``typed`` may also be the platform's id of the message, ``channel/message``.
    """
    begins = [_IN[name].startswith(typed, autoescape=True) for name in ("id", "job_id")]
    there = _IN.sent_id == typed
    found = await _listed(connection, sa.or_(*begins, there) if len(typed) > 3 else there)
    shown = [one for one in found if one.shown] or found
    return shown[0] if len(shown) == 1 else None


async def count_since(connection: AsyncConnection, keys: Iterable[str], since: int) -> int:
    """Count what people with one of ``keys`` published since then."""
    own = _IN.maker_key.in_(list(keys)), _IN.created_at_ms > since
    query = sa.select(sa.func.count()).select_from(feed_post).where(*own)
    return await connection.scalar(query) or 0


async def set_case(connection: AsyncConnection, post_id: str, case: CaseState) -> None:
    """Note what became of the reports of a post."""
    changed = sa.update(feed_post).where(_IN.id == post_id)
    await connection.execute(changed.values(case_state=case.value))


async def set_content(connection: AsyncConnection, post_id: str, content: PostContent) -> None:
    """Let a post say something else, or be somewhere else, from now on."""
    values = {"target_key": content.target.key, "body": json.dumps(asdict(content))}
    await connection.execute(sa.update(feed_post).where(_IN.id == post_id).values(values))


async def note_message(connection: AsyncConnection, post_id: str, where: str) -> bool:
    """Note the message that a post becomes; False where another one was noted before."""
    first = _IN.sent_id.is_(None) | (_IN.sent_id == where)
    changed = sa.update(feed_post).where(_IN.id == post_id, first).values(sent_id=where)
    return (await connection.execute(changed)).rowcount == 1


async def add_report(connection: AsyncConnection, report: FeedReport) -> bool:
    """Keep a report; False where that person reported that post before."""
    values = {
        "post_id": report.post_id,
        "reporter_key": report.reporter.key,
        "reason": report.reason,
        "at_ms": report.at_ms,
    }
    added = insert_into(connection.dialect.name, feed_report).values(values)
    first = added.on_conflict_do_nothing().returning(feed_report.c.post_id)
    return (await connection.execute(first)).first() is not None


async def report_counts(connection: AsyncConnection, post_ids: Iterable[str]) -> dict[str, int]:
    """Count the reports of each post; those that nobody reported are left out."""
    column = feed_report.c.post_id
    counted = sa.select(column, sa.func.count().label("reports")).group_by(column)
    query = counted.where(column.in_(list(post_ids)))
    return {row.post_id: row.reports for row in await connection.execute(query)}


async def reports_since(connection: AsyncConnection, reporter_key: str, since: int) -> int:
    """Count what somebody reported since then (epoch ms)."""
    own = (feed_report.c.reporter_key == reporter_key) & (feed_report.c.at_ms > since)
    query = sa.select(sa.func.count()).select_from(feed_report).where(own)
    return await connection.scalar(query) or 0


async def forget_reports(connection: AsyncConnection, reporter_key: str) -> set[tuple[str, str]]:
    """Drop what somebody reported; return the posts, each with the reason."""
    own = sa.delete(feed_report).where(feed_report.c.reporter_key == reporter_key)
    gone = await connection.execute(own.returning(feed_report.c.post_id, feed_report.c.reason))
    return {(row.post_id, row.reason) for row in gone}


async def _listed(connection: AsyncConnection, which: sa.ColumnElement[bool]) -> list[FeedPost]:
    query = sa.select(feed_post).where(which).order_by(_IN.created_at_ms.desc(), _IN.id)
    return [post_of(row) for row in await connection.execute(query)]
