"""How this process stands to others at the same rows, and how it becomes known to them."""

import asyncio
import socket
from collections.abc import Callable, Collection
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from core import __version__
from core.app.executor_choice import memory_of, place_of
from core.app.lease_sweep import LeaseSweep
from core.delivery.file_place import FilePlace, marked_place
from core.domain.nodes import ClusterNode, NodeDevice, NodeId, NodeRole, NodeState, new_node_id
from core.domain.requests import FORMAT
from core.errors.nodes import NodeNeedsSharedFiles
from core.interfaces.executor import Executor, WarmExecutor, orders_at_once
from core.interfaces.nodes import Nodes
from core.nodes.one_node import OneNode
from core.nodes.registered_node import KnownNodes, LifeRules, Load, RegisteredNode, living
from core.queue.abandoned import AbandonedByNodes, AbandonedByProcess, AbandonedJobs
from core.queue.claims import Claimant
from core.queue.transitions import ENDING
from core.runtime import file_names, paths
from core.runtime.atomic_files import write_atomically
from core.runtime.clock import Clock
from core.service.estimator import RunBook
from core.service.pool_estimates import NO_PLACE, PoolRunBook
from core.settings import Settings
from core.storage import jobs as rows
from core.storage.addresses import is_postgres
from core.storage.database import Database
from core.storage.due_jobs import Lines
from core.storage.lock import DirectoryHold
from core.storage.migration_files import POSTGRESQL, newest_of, read_migrations
from core.storage.postgres_schema import SchemaDuty, oldest_program
from core.worker.worker import Worker

LAST_NODE = ".node"  # in the data directory: the id of the node that has, or had, it alone
NO_DEVICE = NodeDevice("", "")


@dataclass(frozen=True, slots=True)
class Deployment:
    """What follows from the role of a process and from where its rows and files are."""

    role: NodeRole
    shares_rows: bool  # other processes may use the same rows
    beside: bool  # a command, which is no node
    hold: DirectoryHold
    duty: SchemaDuty

    @classmethod
    def of(cls, settings: Settings, role: NodeRole, *, beside: bool) -> "Deployment":
        """Find out how a process stands to others."""
        shares = is_postgres(settings.database)
        together = not settings.artefacts.shared and settings.artefacts.artefacts_shared
        hold = DirectoryHold.TOGETHER if shares and together else DirectoryHold.ALONE
        duty = SchemaDuty.MIGRATE if role.serves else SchemaDuty.AWAIT
        if beside:
            hold = DirectoryHold.BRIEFLY
        if shares and beside:
            hold, duty = DirectoryHold.NOT, SchemaDuty.REQUIRE
        return cls(role, shares, shares and beside, hold, duty)

    @property
    def has_folder_alone(self) -> bool:
        """Tell whether what a killed process left in the data directory may be cleared away."""
        return self.hold in {DirectoryHold.ALONE, DirectoryHold.BRIEFLY}

    @property
    def tidies(self) -> bool:
        """Tell whether it puts rows in order when it starts."""
        return self.role.serves and not self.beside


@dataclass(frozen=True, slots=True)
class Membership:
    """This process among others."""

    nodes: Nodes
    deployment: Deployment
    sweep: LeaseSweep
    files: FilePlace


async def join(
    stack: AsyncExitStack,
    settings: Settings,
    deployment: Deployment,
    database: Database,
    executor: Executor,
    clock: Clock,
) -> Nodes:
    """Become known to the other nodes until ``stack`` is closed.

    Raises:
        StorageUnavailable: the rows cannot be read or written.
    """
    if not deployment.shares_rows:
        place = place_of(executor, settings)
        device = NodeDevice(place.device, place.profile, place.pin, memory_of(executor) or 0)
        return OneNode(device, orders_at_once(executor), partial(_note_ending, database))
    me, rules = _node(settings, deployment, executor, clock()), life_rules(settings)
    if deployment.beside:
        known = KnownNodes(database, me, rules, clock)
        await known.look()
        return known
    before = _take_folder(settings.data_dir, me.id) if deployment.has_folder_alone else None
    node = RegisteredNode(database, me, rules, clock, oldest_program, before)
    await stack.enter_async_context(living(node))
    if not (settings.artefacts.shared or deployment.hold is DirectoryHold.TOGETHER):
        _require_alone(node, settings)
    if not deployment.has_folder_alone:
        stack.callback(file_names.remove_folder, settings.work_folder / node.id)
        alive = {one.id for one in node.others()}
        await asyncio.to_thread(_remove_work_of_the_dead, settings.work_folder, alive)
    return node


def abandoned_jobs(
    deployment: Deployment, nodes: Nodes, owned: Callable[[str], bool]
) -> AbandonedJobs:
    """Return what finds the jobs that nobody works on."""
    if not deployment.shares_rows:
        return AbandonedByProcess(owned)
    if isinstance(nodes, RegisteredNode):
        return AbandonedByNodes(nodes.before_us, lambda: _others_serve(nodes), owned)
    return AbandonedByNodes(owned=owned)


def _others_serve(nodes: RegisteredNode) -> bool:
    return any(one.role.serves for one in nodes.others())


def claimant_of(nodes: Nodes) -> Callable[[], Claimant]:
    """Make what says who claims here, from which lines."""
    if nodes.alone:
        return Claimant
    return partial(_claimant, nodes)


def pools_served_by(nodes: Nodes) -> list[str]:
    """Return whose jobs this process may make: its own pool's, then those that are no larger."""
    larger = _larger(nodes)
    others = (pool.name for pool in nodes.pools() if pool.name not in {nodes.pool, *larger})
    return [nodes.pool, *others]


def tell_load(nodes: Nodes, worker: Worker, executor: Executor) -> None:
    """Let the other nodes see what this one works on."""

    def load() -> Load:
        resident = executor.resident if isinstance(executor, WarmExecutor) else None
        return worker.on_device, resident or ""

    if isinstance(nodes, RegisteredNode):
        nodes.load = load


def run_book(
    settings: Settings,
    deployment: Deployment,
    database: Database,
    executor: Executor,
    nodes: Nodes,
    clock: Clock,
) -> RunBook:
    """Return what knows how long requests take: here, or wherever they are made."""
    vram = settings.comfy.vram
    if nodes.alone:
        place, memory = place_of(executor, settings), memory_of(executor)
        return RunBook(database, place, clock, memory, vram)
    if deployment.beside or not deployment.role.works:
        return PoolRunBook(database, NO_PLACE, nodes, clock)
    place, memory = place_of(executor, settings), memory_of(executor)
    return PoolRunBook(database, place, nodes, clock, memory, vram)


def own_work_folder(settings: Settings, deployment: Deployment, nodes: Nodes) -> Path:
    """Return where unfinished files of this process lie; nobody else empties that folder."""
    folder = settings.work_folder
    return folder if deployment.has_folder_alone else folder / nodes.id


def file_place(settings: Settings, deployment: Deployment) -> FilePlace:
    """Return where files of the command line lie; alone at the rows there is one place.

    Raises:
        OSError: the data directory cannot be marked.
    """
    if not deployment.shares_rows:
        return FilePlace()
    return marked_place(settings.data_dir, alone=deployment.has_folder_alone)


def life_rules(settings: Settings) -> LifeRules:
    """Return the times of a node; it is taken for dead when its job would be."""
    return LifeRules(settings.worker.heartbeat_s, round(settings.queue.lease_s * 1000))


def _larger(nodes: Nodes) -> tuple[str, ...]:
    """Return the pools whose jobs may not fit the devices of ours."""
    pools = nodes.pools()
    own = next((pool.vram_bytes for pool in pools if pool.name == nodes.pool), 0)
    return tuple(pool.name for pool in pools if pool.vram_bytes > own)


def _claimant(nodes: Nodes) -> Claimant:
    larger = _larger(nodes)
    takes = nodes.state in (NodeState.LOADING, NodeState.READY)
    return Claimant(nodes.id, Lines(nodes.pool, larger), takes, nodes.slots(nodes.pool))


def _node(settings: Settings, deployment: Deployment, executor: Executor, now: int) -> ClusterNode:
    node_id, device = new_node_id(), NO_DEVICE
    if deployment.role.works:
        place = place_of(executor, settings)
        device = NodeDevice(place.device, place.profile, place.pin, memory_of(executor) or 0)
    return ClusterNode(
        id=node_id,
        name=settings.node.name or f"{socket.gethostname()}-{node_id[:4]}",
        role=deployment.role,
        pool=settings.node.pool,
        device=device,
        version=__version__,
        schema=newest_of(read_migrations(dialect=POSTGRESQL)),
        format=FORMAT,
        state=NodeState.LOADING,
        started_at_ms=now,
        beat_at_ms=now,
    )


async def _note_ending(database: Database) -> None:
    async with database.transaction(turn=False) as connection:
        await rows.write_setting(connection, ENDING, "1")


def _take_folder(data_dir: Path, node_id: NodeId) -> NodeId | None:
    """Write down who has the data directory now; return who had it before."""
    path = data_dir / LAST_NODE
    before = path.read_text("utf-8").strip() if path.is_file() else ""
    write_atomically(path, node_id)
    return NodeId(before) if before else None


def _require_alone(node: RegisteredNode, settings: Settings) -> None:
    """See that nobody else lives whose clips would not be found here.

    Raises:
        NodeNeedsSharedFiles: somebody does.
    """
    if node.others():
        raise NodeNeedsSharedFiles(paths.readable(settings.data_dir))


def _remove_work_of_the_dead(folder: Path, alive: Collection[str]) -> None:
    for path in file_names.entries_of(folder, file_names.NODE_WORK):
        if path.name not in alive:
            file_names.remove_folder(path)
