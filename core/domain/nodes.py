"""Nodes: the processes that work on the same rows, and the pools of devices that they form."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType
from uuid import uuid4

NodeId = NewType("NodeId", str)  # 32 hex digits, new at each start of a process

DEFAULT_POOL = "default"


def new_node_id() -> NodeId:
    """Make the id of a process that starts now."""
    return NodeId(uuid4().hex)


class NodeRole(StrEnum):
    """What a node does."""

    SERVICE = "service"  # fronts and a worker
    FRONT = "front"
    WORKER = "worker"

    @property
    def works(self) -> bool:
        """Tell whether it makes clips."""
        return self is not NodeRole.FRONT

    @property
    def serves(self) -> bool:
        """Tell whether people reach it."""
        return self is not NodeRole.WORKER


class NodeState(StrEnum):
    """How far a node is in its life."""

    LOADING = "loading"  # files or models come; it takes no job yet
    READY = "ready"
    DRAINING = "draining"  # finishes what it has, and takes nothing more until it was restarted
    ENDING = "ending"  # the same, and then its process ends; a job cut off by it is not to blame
    GONE = "gone"  # it ended and said so


@dataclass(frozen=True, slots=True)
class NodeDevice:
    """What a node makes clips with: the key of what is known about durations."""

    device: str  # as its driver names it, or its kind
    profile: str  # of the model files
    pin: str = ""  # ComfyUI's commit; empty for executors without it
    vram_bytes: int = 0  # 0: nobody tells


@dataclass(frozen=True, slots=True)
class ClusterNode:
    """A node as its row tells. Times are epoch milliseconds of the database."""

    id: NodeId
    name: str  # shown to people
    role: NodeRole
    pool: str
    device: NodeDevice
    version: str
    schema: int  # the newest migration that it knows
    format: int  # of requests, the newest that it can read
    state: NodeState
    started_at_ms: int
    beat_at_ms: int
    job_id: str | None = None  # what it has on the device
    resident: str = ""  # the model files in its memory

    def is_alive(self, now_ms: int, silence_ms: int) -> bool:
        """Tell whether it gave a sign of life within ``silence_ms`` and has not ended."""
        return self.state is not NodeState.GONE and self.beat_at_ms > now_ms - silence_ms

    @property
    def claims(self) -> bool:
        """Tell whether it takes jobs."""
        return self.role.works and self.state is NodeState.READY


@dataclass(frozen=True, slots=True)
class Pool:
    """Devices that jobs are bound to together."""

    name: str
    devices: tuple[NodeDevice, ...]  # different ones, those of least memory first
    slots: int = 1  # nodes that take jobs of it now, or will once they have loaded
    loading: int = 0  # those of them that load

    @property
    def vram_bytes(self) -> int:
        """Return the least memory of one of its devices; 0 where nobody tells."""
        return min((one.vram_bytes for one in self.devices), default=0)


def pools_of(nodes: Iterable[ClusterNode], now_ms: int, silence_ms: int) -> tuple[Pool, ...]:
    """Group what makes clips into pools, those of the least memory first.

    Where no worker of a pool lives, it is told by its newest one, with no slots: it may come back.
    """
    grouped: dict[str, list[ClusterNode]] = {}
    for node in nodes:
        if node.role.works:
            grouped.setdefault(node.pool, []).append(node)
    pools: list[Pool] = []
    for name, members in grouped.items():
        alive = [node for node in members if node.is_alive(now_ms, silence_ms)]
        stay = [node for node in alive if node.state in (NodeState.LOADING, NodeState.READY)]
        told = stay or alive or [max(members, key=lambda node: node.beat_at_ms)]
        devices = sorted({node.device for node in told}, key=lambda one: (one.vram_bytes, str(one)))
        loading = sum(node.state is NodeState.LOADING for node in stay)
        pools.append(Pool(name, tuple(devices), len(stay), loading))
    return tuple(sorted(pools, key=lambda pool: (pool.vram_bytes, pool.name)))
