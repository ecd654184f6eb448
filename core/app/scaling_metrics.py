"""How much waits for each pool of devices, and how many workers should be there for it.

Of several nodes the one tells that does the chores.
"""

import time
from collections import Counter
from collections.abc import Generator, Iterable
from contextlib import contextmanager

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from core.domain.nodes import ClusterNode
from core.domain.scaling import PoolBacklog, ScalingRules, WantedWorkers
from core.interfaces.terms import Term
from core.runtime.clock import Clock
from core.settings.scaling import ScalingSettings
from core.storage.database import Database
from core.storage.nodes import read_nodes
from core.storage.pool_figures import read_backlogs


def scaling_rules(settings: ScalingSettings) -> ScalingRules:
    """Return when to want more workers, and fewer."""
    return ScalingRules(settings.wait_s, settings.floor, settings.ceiling)


class PoolFigures:
    """What is read of the pools; it remembers what was wanted of each for a while."""

    def __init__(
        self,
        database: Database,
        rules: ScalingRules,
        clock: Clock,
        silence_ms: int,
        *,
        told: bool = True,
    ) -> None:
        """Take the rows, and for how long a silent worker counts as alive, milliseconds.

        ``told``: there may be other workers than this process.
        """
        self._told = told
        self._database = database
        self._rules = rules
        self._clock = clock
        self._silence_ms = silence_ms
        self._wanted: dict[str, WantedWorkers] = {}
        self._term: Term | None = None

    async def read(self) -> "PoolGauges":
        """Read what waits and who lives, now.

        Raises:
            StorageUnavailable: the rows cannot be read.
        """
        now = self._clock()
        async with self._database.snapshot() as connection:
            backlogs = await read_backlogs(connection, now)
            nodes = await read_nodes(connection)
        alive = [node for node in nodes if node.role.works and node.is_alive(now, self._silence_ms)]
        return PoolGauges(backlogs, alive, self._want(backlogs, alive))

    @contextmanager
    def telling(self, term: Term) -> Generator[None]:
        """Be who tells inside the block, as long as ``term`` is held: a sum counts all once."""
        self._term = term
        try:
            yield
        finally:
            self._term = None
            self._wanted.clear()  # somebody else looks from now on

    @property
    def tells(self) -> bool:
        """Tell whether this node is the one that tells."""
        return self._told and self._term is not None and self._term.held

    def _want(
        self, backlogs: Iterable[PoolBacklog], alive: Iterable[ClusterNode]
    ) -> dict[str, int]:
        waiting = {backlog.pool: backlog.gpu_s for backlog in backlogs}
        claiming = Counter(node.pool for node in alive if node.claims)
        return {
            pool: self._wanted.setdefault(pool, WantedWorkers(self._rules)).look(
                time.monotonic(), waiting.get(pool, 0.0), claiming[pool]
            )
            for pool in sorted({*waiting, *claiming, *self._wanted})
        }


class PoolGauges(Collector):
    """One reading, as Prometheus reads it."""

    def __init__(
        self, backlogs: Iterable[PoolBacklog], alive: Iterable[ClusterNode], wanted: dict[str, int]
    ) -> None:
        """Take what waits, who lives and how many are wanted."""
        self._backlogs = {backlog.pool: backlog for backlog in backlogs}
        self._workers = Counter((node.pool, node.state.value) for node in alive)
        self._wanted = wanted

    def collect(self) -> list[GaugeMetricFamily]:
        """Return a family for each figure; a pool without work has zeros."""
        backlog, oldest, wanted = (
            GaugeMetricFamily(name, remark, labels=["pool"])
            for name, remark in (
                ("clapper_backlog_gpu_seconds", "Estimates of jobs that wait and run"),
                ("clapper_oldest_wait_seconds", "0 if none waits"),
                ("clapper_wanted_workers", "What makes the backlog in time; rises at once"),
            )
        )
        workers = GaugeMetricFamily(
            "clapper_workers", "Workers that give signs of life", labels=["pool", "state"]
        )
        for pool, count in self._wanted.items():
            known = self._backlogs.get(pool, PoolBacklog(pool, 0.0))
            backlog.add_metric([pool], known.gpu_s)
            oldest.add_metric([pool], known.oldest_wait_s)
            wanted.add_metric([pool], count)
        for (pool, state), count in sorted(self._workers.items()):
            workers.add_metric([pool, state], count)
        return [backlog, oldest, workers, wanted]
