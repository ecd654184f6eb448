"""Rows of styles and defaults. Functions on a connection; the callers own the transaction."""

import json
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from core.domain.decoding import parse_object
from core.storage.dialects import upsert
from core.storage.tables import INTEGER, METADATA

style = sa.Table(
    "style",
    METADATA,
    sa.Column("place", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),  # core.domain.styles.key_of
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("updated_at_ms", INTEGER, nullable=False),
)
option_default = sa.Table(
    "option_default",
    METADATA,
    sa.Column("place", sa.Text, primary_key=True),
    sa.Column("channel", sa.Text, primary_key=True),  # empty: of the whole place
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("updated_at_ms", INTEGER, nullable=False),
)


async def styles_of(connection: AsyncConnection, place: str) -> list[dict[str, Any]]:
    """Read the styles of ``place`` as plain data, by name."""
    query = sa.select(style.c.body).where(style.c.place == place).order_by(style.c.name)
    return [parse_object(body) for body in await connection.scalars(query)]


async def save_style(
    connection: AsyncConnection, place: str, name: str, body: dict[str, Any], now: int
) -> None:
    """Write one style."""
    values = {"place": place, "name": name, "body": json.dumps(body), "updated_at_ms": now}
    await upsert(connection, style, [values])


async def remove_style(connection: AsyncConnection, place: str, name: str) -> bool:
    """Drop one style; False where there is none."""
    at = (style.c.place == place) & (style.c.name == name)
    return (await connection.execute(sa.delete(style).where(at))).rowcount > 0


async def defaults_of(connection: AsyncConnection, place: str) -> dict[str, dict[str, Any]]:
    """Read the defaults of ``place`` by channel; those of all of it under an empty name."""
    here = option_default.c.place == place
    query = sa.select(option_default).where(here).order_by(option_default.c.channel)
    return {row.channel: parse_object(row.body) for row in await connection.execute(query)}


async def save_defaults(
    connection: AsyncConnection, place: str, channel: str, body: dict[str, Any], now: int
) -> None:
    """Write the defaults of a channel, or of a whole place; drop them where ``body`` is empty."""
    if not body:
        at = (option_default.c.place == place) & (option_default.c.channel == channel)
        await connection.execute(sa.delete(option_default).where(at))
        return
    values = {"place": place, "channel": channel, "body": json.dumps(body), "updated_at_ms": now}
    await upsert(connection, option_default, [values])


async def move(connection: AsyncConnection, old: str, new: str) -> None:
    """Give what ``old`` has to ``new``, unless that has its own of the same name."""
    for table, key in ((style, "name"), (option_default, "channel")):
        other = table.alias()
        taken = (other.c.place == new) & (other.c[key] == table.c[key])
        free = ~sa.select(other.c.place).where(taken).exists()
        move_rows = sa.update(table).where(table.c.place == old, free).values(place=new)
        await connection.execute(move_rows)
        await connection.execute(sa.delete(table).where(table.c.place == old))


async def forget(connection: AsyncConnection, places: Collection[str]) -> None:
    """Drop the styles and defaults of ``places``."""
    for table in (style, option_default):
        await connection.execute(sa.delete(table).where(table.c.place.in_(places)))
