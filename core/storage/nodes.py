"""Rows of nodes: who lives, with which device, and who is to take no more jobs."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Row, case, delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.domain.nodes import ClusterNode, NodeDevice, NodeId, NodeRole, NodeState
from core.storage.cluster_tables import node
from core.storage.dialects import upsert

_SAME_DEVICE = ("pool", "device", "profile", "pin")


async def register(connection: AsyncConnection, new: ClusterNode) -> None:
    """Write the row of a node that starts, or that was taken for gone."""
    await upsert(
        connection,
        node,
        [
            {
                "id": new.id,
                "name": new.name,
                "role": new.role.value,
                "pool": new.pool,
                "device": new.device.device,
                "profile": new.device.profile,
                "pin": new.device.pin,
                "vram_bytes": new.device.vram_bytes,
                "version": new.version,
                "schema_known": new.schema,
                "format_known": new.format,
                "resident": new.resident,
                "job_id": new.job_id,
                "state": new.state.value,
                "beat_at_ms": new.beat_at_ms,
                "started_at_ms": new.started_at_ms,
            }
        ],
    )


async def note_life(
    connection: AsyncConnection,
    node_id: NodeId,
    state: NodeState,
    now: int,
    job_id: str | None,
    resident: str,
) -> NodeState | None:
    """Write a sign of life, and go on to ``state``; a drain that was asked for stays till the end.

    Returns:
        The state that the row has now; None where there is no such row any more.
    """
    drained = node.c.state == NodeState.DRAINING.value
    takes = state in (NodeState.LOADING, NodeState.READY)
    to: Any = case((drained, node.c.state), else_=state.value) if takes else state.value
    values = {"state": to, "beat_at_ms": now, "job_id": job_id, "resident": resident}
    written = update(node).where(node.c.id == node_id).values(**values).returning(node.c.state)
    found = (await connection.execute(written)).scalar()
    return None if found is None else NodeState(found)


async def forget_dead(connection: AsyncConnection, node_id: NodeId) -> None:
    """Delete a node whose process is known to be dead, unless it said that it ends."""
    said = node.c.state.in_([NodeState.ENDING.value, NodeState.GONE.value])
    await connection.execute(delete(node).where(node.c.id == node_id, ~said))


async def read_nodes(connection: AsyncConnection) -> list[ClusterNode]:
    """Read all nodes that are known, the newest start first."""
    query = select(node).order_by(node.c.started_at_ms.desc(), node.c.id)
    return [_node(row) for row in await connection.execute(query)]


async def drain(connection: AsyncConnection, name: str, since_ms: int) -> list[NodeId]:
    """Let the workers called ``name`` that lived since then take no more jobs; return them."""
    loads_or_works = node.c.state.in_([NodeState.LOADING.value, NodeState.READY.value])
    named = node.c.name == name, node.c.role != NodeRole.FRONT.value, node.c.beat_at_ms > since_ms
    changed = update(node).where(*named, loads_or_works).values(state=NodeState.DRAINING.value)
    found = await connection.execute(changed.returning(node.c.id))
    return [NodeId(one) for one in found.scalars()]


async def ended_on_purpose(connection: AsyncConnection, node_ids: Iterable[str]) -> set[str]:
    """Return which of these nodes said that they end, so that no job of theirs is to blame."""
    ended = node.c.state.in_([NodeState.ENDING.value, NodeState.GONE.value])
    query = select(node.c.id).where(node.c.id.in_(list(node_ids)), ended)
    return set((await connection.execute(query)).scalars())


async def forget_gone(connection: AsyncConnection, before_ms: int) -> int:
    """Delete nodes that gave no sign since then, but for the newest with each kind of device."""
    newer = node.alias("newer")
    same = (newer.c[name] == node.c[name] for name in _SAME_DEVICE)
    replaced = exists().where(newer.c.beat_at_ms > node.c.beat_at_ms, *same)
    no_device = node.c.role == NodeRole.FRONT.value
    old = delete(node).where(node.c.beat_at_ms < before_ms, sa.or_(no_device, replaced))
    return (await connection.execute(old)).rowcount


def _node(row: Row[Any]) -> ClusterNode:
    return ClusterNode(
        id=NodeId(row.id),
        name=row.name,
        role=NodeRole(row.role),
        pool=row.pool,
        device=NodeDevice(row.device, row.profile, row.pin, row.vram_bytes),
        version=row.version,
        schema=row.schema_known,
        format=row.format_known,
        state=NodeState(row.state),
        started_at_ms=row.started_at_ms,
        beat_at_ms=row.beat_at_ms,
        job_id=row.job_id,
        resident=row.resident,
    )
