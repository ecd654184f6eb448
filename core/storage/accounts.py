"""Rows about who belongs together: joins, codes, blocks, what was spent together, notices.

Functions on a connection; the callers own the transaction.
"""

import json
from collections.abc import Callable, Iterable

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from core.domain.decoding import parse_words
from core.domain.people import Requester
from core.storage.dialects import upsert
from core.storage.records import AccountNotice, Block, CarriedUse
from core.storage.tables import INTEGER, METADATA, flow

blocked = sa.Table(
    "blocked",
    METADATA,
    sa.Column("user_key", sa.Text, primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("created_at", INTEGER, nullable=False),
    sa.Column("origin", sa.Text, nullable=False),
)
identity = sa.Table(
    "identity",
    METADATA,
    sa.Column("user_key", sa.Text, primary_key=True),
    sa.Column("account_key", sa.Text, nullable=False),
    sa.Column("created_at", INTEGER, nullable=False),
    sa.Index("identity_account", "account_key"),
)
link_code = sa.Table(
    "link_code",
    METADATA,
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("user_key", sa.Text, nullable=False),
    sa.Column("expires_at", INTEGER, nullable=False),
)
link_try = sa.Table(
    "link_try",
    METADATA,
    sa.Column("id", INTEGER, primary_key=True),
    sa.Column("user_key", sa.Text, nullable=False),
    sa.Column("at_ms", INTEGER, nullable=False),
)
carried = sa.Table(
    "carried",
    METADATA,
    sa.Column("limit_name", sa.Text, primary_key=True),
    sa.Column("user_key", sa.Text, primary_key=True),
    sa.Column("source_key", sa.Text, primary_key=True),
    sa.Column("spent", INTEGER, nullable=False),
    sa.Column("until_ms", INTEGER, nullable=False),
)
notice = sa.Table(
    "notice",
    METADATA,
    sa.Column("id", INTEGER, primary_key=True),
    sa.Column("user_key", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("data", sa.Text, nullable=False),
    sa.Column("created_at", INTEGER, nullable=False),
)


async def account_of(connection: AsyncConnection, user_key: str) -> str:
    """Find the account that owns what ``user_key`` makes; itself unless linked."""
    query = sa.select(identity.c.account_key).where(identity.c.user_key == user_key)
    return await connection.scalar(query) or user_key


async def keys_of(connection: AsyncConnection, user_key: str) -> list[str]:
    """List every key of the account of ``user_key``: the account first, then by age of join."""
    own = sa.select(identity.c.account_key).where(identity.c.user_key == user_key)
    account = sa.func.coalesce(own.scalar_subquery(), user_key)
    query = sa.select(identity.c.account_key, identity.c.user_key)
    query = query.where(identity.c.account_key == account)
    rows = (
        await connection.execute(query.order_by(identity.c.created_at, identity.c.user_key))
    ).all()
    return [rows[0].account_key, *(row.user_key for row in rows)] if rows else [user_key]


async def join(connection: AsyncConnection, user_key: str, account_key: str, now: int) -> None:
    """Make ``user_key``, and all that were joined to it, belong to ``account_key``."""
    await connection.execute(
        sa.update(identity)
        .where(identity.c.account_key == user_key)
        .values(account_key=account_key)
    )
    await connection.execute(sa.delete(identity).where(identity.c.user_key == account_key))
    values = {"user_key": user_key, "account_key": account_key, "created_at": now}
    await upsert(connection, identity, [values])


async def leave(connection: AsyncConnection, user_key: str) -> None:
    """Take one key out of its account; where it was the account, the oldest join becomes it."""
    first, *others = await keys_of(connection, user_key)
    if user_key != first:
        await connection.execute(sa.delete(identity).where(identity.c.user_key == user_key))
    elif others:
        heir, *_ = others
        await connection.execute(sa.delete(identity).where(identity.c.user_key == heir))
        await connection.execute(
            sa.update(identity).where(identity.c.account_key == first).values(account_key=heir)
        )


async def add_code(
    connection: AsyncConnection, digest: str, user_key: str, expires_at: int
) -> None:
    """Keep a one-time code; earlier codes of the same person end."""
    await drop_codes(connection, [user_key])
    values = {"digest": digest, "user_key": user_key, "expires_at": expires_at}
    await connection.execute(sa.insert(link_code).values(values))


async def drop_codes(connection: AsyncConnection, keys: Iterable[str]) -> None:
    """End the codes of ``keys``."""
    await connection.execute(sa.delete(link_code).where(link_code.c.user_key.in_(list(keys))))


async def take_code(connection: AsyncConnection, digest: str, now: int) -> str | None:
    """End a code and return whose it was; None where it is unknown or too old."""
    await connection.execute(sa.delete(link_code).where(link_code.c.expires_at <= now))
    query = sa.select(link_code.c.user_key).where(link_code.c.digest == digest)
    found = await connection.scalar(query)
    await connection.execute(sa.delete(link_code).where(link_code.c.digest == digest))
    return found


async def add_try(connection: AsyncConnection, user_key: str, now: int) -> None:
    """Remember a code that did not fit."""
    await connection.execute(sa.insert(link_try).values(user_key=user_key, at_ms=now))


async def tries(connection: AsyncConnection, user_key: str, since: int) -> tuple[int, int]:
    """Count the codes that did not fit since then, of ``user_key`` and of everybody; drop older."""
    await connection.execute(sa.delete(link_try).where(link_try.c.at_ms <= since))
    own_ones = sa.func.count().filter(link_try.c.user_key == user_key)
    query = sa.select(sa.func.count(), own_ones).select_from(link_try)
    everybody, own = (await connection.execute(query)).one()
    return own, everybody


async def block(
    connection: AsyncConnection, keys: Iterable[str], origin: str, reason: str, now: int
) -> None:
    """Keep ``keys`` from making videos; ``origin`` is the one that was named."""
    rows = [
        {"user_key": key, "reason": reason, "created_at": now, "origin": origin} for key in keys
    ]
    await upsert(connection, blocked, rows)


async def block_account(connection: AsyncConnection, user_key: str, reason: str, now: int) -> None:
    """Keep every key of the account of ``user_key`` from making videos."""
    await block(connection, await keys_of(connection, user_key), user_key, reason, now)


async def block_of(connection: AsyncConnection, keys: Iterable[str]) -> Block | None:
    """Read the oldest block of ``keys``, None where none of them is blocked."""
    query = sa.select(blocked).where(blocked.c.user_key.in_(list(keys)))
    row = (await connection.execute(query.order_by(blocked.c.created_at).limit(1))).first()
    return None if row is None else Block(row.origin, row.reason)


async def unblock(connection: AsyncConnection, keys: Iterable[str]) -> list[str]:
    """Lift every block that reaches one of ``keys``, for all whom it reaches; return those."""
    own = blocked.c.user_key.in_(list(keys))
    origins = sa.select(blocked.c.origin).where(own).scalar_subquery()
    reached = sa.or_(own, blocked.c.origin.in_(origins))
    found = list(await connection.scalars(sa.select(blocked.c.user_key).where(reached)))
    await connection.execute(sa.delete(blocked).where(blocked.c.user_key.in_(found)))
    return sorted(found)


async def carry(
    connection: AsyncConnection, limit_name: str, user_key: str, owed: CarriedUse
) -> None:
    """Let ``user_key`` answer for what was spent in another window of a limit."""
    values = {
        "limit_name": limit_name,
        "user_key": user_key,
        "source_key": owed.source_key,
        "spent": owed.spent,
        "until_ms": owed.until_ms,
    }
    await upsert(connection, carried, [values])


async def carried_by(
    connection: AsyncConnection, limit_name: str, keys: list[str], now: int
) -> list[CarriedUse]:
    """Sum up what ``keys`` answer for in a limit besides their own windows."""
    query = (
        sa.select(
            carried.c.source_key,
            sa.func.max(carried.c.spent).label("spent"),
            sa.func.max(carried.c.until_ms).label("until_ms"),
        )
        .where(
            carried.c.limit_name == limit_name,
            carried.c.user_key.in_(keys),
            carried.c.source_key.not_in(keys),
            carried.c.until_ms > now,
        )
        .group_by(carried.c.source_key)
    )
    found = await connection.execute(query)
    return [CarriedUse(source, spent, until_ms) for source, spent, until_ms in found]


async def level_flows(connection: AsyncConnection, keys: list[str], now: int) -> None:
    """Give all ``keys`` the same standing in virtual time: the one that had the most."""
    last = await connection.scalar(
        sa.select(sa.func.max(flow.c.finish)).where(flow.c.user_key.in_(keys))
    )
    if last is None:
        return
    fresh = {"finish": last, "since_ms": now, "weight": 100, "held": 0, "active": 0}
    rows = [{"user_key": key, **fresh} for key in keys]
    await upsert(connection, flow, rows, ["finish"])


async def add_notice(
    connection: AsyncConnection, user_key: str, code: str, data: dict[str, str], now: int
) -> None:
    """Owe somebody a notice."""
    values = {"user_key": user_key, "code": code, "data": json.dumps(data), "created_at": now}
    await connection.execute(sa.insert(notice).values(values))


async def notices(connection: AsyncConnection, platform: str, since: int) -> list[AccountNotice]:
    """Read what people of ``platform`` have to be told, oldest first; drop what is too old."""
    await connection.execute(sa.delete(notice).where(notice.c.created_at < since))
    own = notice.c.user_key.startswith(f"{platform}:", autoescape=True)
    found = await connection.execute(sa.select(notice).where(own).order_by(notice.c.id))
    return [
        AccountNotice(row.id, Requester.from_key(row.user_key), row.code, parse_words(row.data))
        for row in found
    ]


async def change_notices(
    connection: AsyncConnection, change: Callable[[str, dict[str, str]], dict[str, str] | None]
) -> None:
    """Put what ``change`` returns for its code and data into every notice; None drops it."""
    for row in (await connection.execute(sa.select(notice))).all():
        before = parse_words(row.data)
        after = change(row.code, before)
        if after is None:
            await drop_notice(connection, row.id)
        elif after != before:
            values = {"data": json.dumps(after)}
            await connection.execute(sa.update(notice).where(notice.c.id == row.id).values(values))


async def drop_notice(connection: AsyncConnection, number: int) -> None:
    """Note that somebody was told."""
    await connection.execute(sa.delete(notice).where(notice.c.id == number))


async def drop_notices(connection: AsyncConnection, keys: Iterable[str]) -> None:
    """Drop what ``keys`` were to be told."""
    await connection.execute(sa.delete(notice).where(notice.c.user_key.in_(list(keys))))
