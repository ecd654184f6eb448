"""Rows about people and places. Functions on a connection; the callers own the transaction."""

import json
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from core.domain.decoding import UndecodableError, parse_object, parse_stored
from core.domain.policy import RULES
from core.storage.dialects import upsert
from core.storage.records import AuditEntry
from core.storage.tables import INTEGER, METADATA

policy = sa.Table(
    "policy",
    METADATA,
    sa.Column("place", sa.Text, primary_key=True),
    sa.Column("rules", sa.Text, nullable=False),
    sa.Column("updated_at", INTEGER, nullable=False),
)
audit = sa.Table(
    "audit",
    METADATA,
    sa.Column("id", INTEGER, primary_key=True),
    sa.Column("at", INTEGER, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("verb", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
)
memory = sa.Table(
    "memory",
    METADATA,
    sa.Column("front", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("updated_at", INTEGER, nullable=False),
)


async def load_rules(connection: AsyncConnection, place: str) -> dict[str, Any] | None:
    """Read the rules of ``place`` as plain data, None without rules.

    Where the text is no object, each rule has the text as its value, which is none of a rule: what
    an operator forbade stays forbidden.
    """
    found = await connection.scalar(sa.select(policy.c.rules).where(policy.c.place == place))
    return None if found is None else parse_object(found, or_else=dict.fromkeys(RULES, found))


async def save_rules(
    connection: AsyncConnection, place: str, rules: dict[str, Any], now: int
) -> None:
    """Replace the rules of ``place``."""
    values = {"place": place, "rules": json.dumps(rules), "updated_at": now}
    await upsert(connection, policy, [values])


async def move_rules(connection: AsyncConnection, old: str, new: str) -> None:
    """Give the rules of ``old`` to ``new``, unless that has its own."""
    taken = sa.select(policy.c.place).where(policy.c.place == new).exists()
    await connection.execute(
        sa.update(policy).where(policy.c.place == old, ~taken).values(place=new)
    )


async def note(
    connection: AsyncConnection, now: int, actor: str, verb: str, target: str, detail: str
) -> None:
    """Append to the audit log."""
    values = {"at": now, "actor": actor, "verb": verb, "target": target, "detail": detail}
    await connection.execute(sa.insert(audit).values(values))


async def notes(connection: AsyncConnection, limit: int) -> list[AuditEntry]:
    """Read the newest ``limit`` entries of the audit log, newest first."""
    found = await connection.execute(sa.select(audit).order_by(audit.c.id.desc()).limit(limit))
    return [AuditEntry(row.at, row.actor, row.verb, row.target, row.detail) for row in found]


async def remember(
    connection: AsyncConnection, front: str, name: str, value: object, now: int
) -> None:
    """Keep ``value`` (plain JSON data) under a name; None forgets it."""
    if value is None:
        at = (memory.c.front == front) & (memory.c.name == name)
        await connection.execute(sa.delete(memory).where(at))
        return
    values = {"front": front, "name": name, "value": json.dumps(value), "updated_at": now}
    await upsert(connection, memory, [values])


async def recall(connection: AsyncConnection, front: str, name: str) -> Any:  # noqa: ANN401  # JSON
    """Read what was kept under a name, None where nothing was; its text where it is no JSON."""
    at = (memory.c.front == front) & (memory.c.name == name)
    found = await connection.scalar(sa.select(memory.c.value).where(at))
    return None if found is None else _kept(found)


async def take(connection: AsyncConnection, front: str, name: str) -> Any:  # noqa: ANN401  # JSON
    """Forget what was kept under a name and return it to one taker, None to others."""
    at = (memory.c.front == front) & (memory.c.name == name)
    found = await connection.scalar(sa.delete(memory).where(at).returning(memory.c.value))
    return None if found is None else _kept(found)


async def recall_all(connection: AsyncConnection, front: str) -> dict[str, Any]:
    """Read everything that a front kept, by name, the oldest first."""
    query = sa.select(memory.c.name, memory.c.value).where(memory.c.front == front)
    found = await connection.execute(query.order_by(memory.c.updated_at, memory.c.name))
    return {row.name: _kept(row.value) for row in found}


def _kept(text: str) -> Any:  # noqa: ANN401  # JSON
    try:
        return parse_stored(text)
    except UndecodableError:
        return text  # whoever kept it sees that it is none of theirs


async def forget_of(connection: AsyncConnection, platform: str, user_id: str) -> None:
    """Drop what the fronts of a platform keep under names that end with ``:<user_id>``."""
    theirs = memory.c.front.startswith(f"{platform}-", autoescape=True)
    own = memory.c.name.endswith(f":{user_id}", autoescape=True)
    await connection.execute(sa.delete(memory).where(theirs, own))


async def forget_notes(connection: AsyncConnection, actor: str, targets: Collection[str]) -> None:
    """Drop what the audit log has of ``actor`` in places where nobody else is."""
    own = (audit.c.actor == actor) & audit.c.target.in_(targets)
    await connection.execute(sa.delete(audit).where(own))


async def forget_older(connection: AsyncConnection, front: str, before: int) -> None:
    """Drop what a front has not touched since ``before`` (epoch ms)."""
    old = (memory.c.front == front) & (memory.c.updated_at < before)
    await connection.execute(sa.delete(memory).where(old))
