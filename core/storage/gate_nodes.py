"""Rows of nodes that come through the gate. Functions on a connection."""

from dataclasses import dataclass

from sqlalchemy import Column, Row, Table, Text, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.storage.dialects import upsert
from core.storage.tables import INTEGER, METADATA

gate_node = Table(
    "gate_node",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("digest", Text, nullable=False, unique=True),  # of its token
    Column("created_at_ms", INTEGER, nullable=False),
    Column("revoked_at_ms", INTEGER),
)


@dataclass(frozen=True, slots=True)
class GateNode:
    """A machine that may work through the gate; times are epoch milliseconds."""

    name: str
    digest: str  # of its token
    created_at_ms: int
    revoked_at_ms: int | None = None


async def write_node(connection: AsyncConnection, name: str, digest: str, now: int) -> None:
    """Let a node in with a new token; an earlier one of the same name ends."""
    values = {"name": name, "digest": digest, "created_at_ms": now, "revoked_at_ms": None}
    await upsert(connection, gate_node, [values])


async def revoke(connection: AsyncConnection, name: str, now: int) -> bool:
    """End the token of a node; False where it has none that works."""
    works = (gate_node.c.name == name) & gate_node.c.revoked_at_ms.is_(None)
    ended = await connection.execute(update(gate_node).where(works).values(revoked_at_ms=now))
    return ended.rowcount == 1


async def node_with(connection: AsyncConnection, digest: str) -> GateNode | None:
    """Read the node whose token has this digest, unless it was revoked."""
    works = (gate_node.c.digest == digest) & gate_node.c.revoked_at_ms.is_(None)
    row = (await connection.execute(select(gate_node).where(works))).first()
    return None if row is None else _node(row)


async def all_nodes(connection: AsyncConnection) -> list[GateNode]:
    """Read every node that was ever let in, by name."""
    found = await connection.execute(select(gate_node).order_by(gate_node.c.name))
    return [_node(row) for row in found]


def _node(row: Row[tuple[object, ...]]) -> GateNode:
    return GateNode(row.name, row.digest, row.created_at_ms, row.revoked_at_ms)
