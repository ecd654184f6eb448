"""Say whether the service does its work, and which part of it does not.

Answers come within a second also where the database is held by somebody else: one reading is under
way at a time, and who asks waits for it a moment only.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Protocol

from core.errors.setup import ServiceUnreadable
from core.runtime.clock import Clock
from core.runtime.tasks import outcome_of
from core.service.front_board import FrontBoard
from core.service.views import ServiceHealth, ServiceRules, told_intake
from core.storage.health_figures import HealthFigures, RowFigures

READ_S = 0.6  # until who asks is told that the rows cannot be read
STALLED_S = 60.0  # a job may wait so long while nothing runs


class WorkerSigns(Protocol):
    """What the worker shows of itself."""

    @property
    def beat_at_s(self) -> float | None:
        """Return when it last looked for work or kept a lease, monotonic; None before."""
        ...


@dataclass(frozen=True, slots=True)
class ReadinessLimits:
    """From where on something is not well, in seconds."""

    beat_s: float = 30.0  # without a sign of the worker
    waiting_s: float | None = None  # of the oldest waiting job; None: however long
    owed_s: float = 3600.0  # of the oldest delivery that is owed


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """One part of the service; ``facts`` are numbers and short words, about nobody."""

    name: str
    ok: bool
    facts: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Reading:
    """What was found; ``rows`` None where the database did not answer in time.

    ``trouble`` is the code of what keeps rows from being written, or read, as far as it is known.
    """

    rows: RowFigures | None
    free_bytes: int | None
    has_room: bool
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class Readiness:
    """All checks."""

    checks: tuple[HealthCheck, ...]
    reading: Reading

    @property
    def ok(self) -> bool:
        """Return whether every check holds."""
        return all(check.ok for check in self.checks)

    @property
    def troubles(self) -> tuple[str, ...]:
        """Return the names of the checks that do not hold."""
        return tuple(check.name for check in self.checks if not check.ok)


class ReadinessReader:
    """Looks at the queue, worker, device, disk, deliveries and fronts."""

    def __init__(
        self,
        *,
        figures: HealthFigures,
        rules: ServiceRules,
        worker: WorkerSigns,
        device_lost: Callable[[], bool],
        fronts: FrontBoard,
        limits: ReadinessLimits,
        clock: Clock,
        seconds: Callable[[], float] = monotonic,
    ) -> None:
        self._figures = figures
        self._rules = rules
        self.worker = worker
        self._device_lost = device_lost
        self.fronts = fronts
        self.limits = limits
        self._clock = clock
        self._seconds = seconds
        self._began_s = seconds()
        self._under_way: asyncio.Task[Reading] | None = None

    async def read(self) -> Readiness:
        """Return how everything is, within a second."""
        reading = await self._read()
        return Readiness(
            (
                _database(reading),
                self._queue(reading.rows),
                self._worker(),
                HealthCheck("device", not self._device_lost()),
                HealthCheck("disk", reading.has_room, {"free_bytes": reading.free_bytes}),
                self._deliveries(reading.rows),
                self._fronts(),
            ),
            reading,
        )

    async def troubles(self) -> tuple[str, ...]:
        """Return the names of the checks that do not hold."""
        return (await self.read()).troubles

    async def service_health(self) -> ServiceHealth:
        """Return what an operator looks at first, within a second.

        Raises:
            ServiceUnreadable: the database is held by somebody else, or cannot be read.
        """
        reading = await self._read()
        rows = reading.rows
        if rows is None:
            raise ServiceUnreadable
        free, lost = reading.free_bytes or 0, self._device_lost()
        intake = told_intake(rows.intake, has_room=reading.has_room, device_lost=lost)
        return ServiceHealth(intake, rows.running, rows.waiting, self._rules.data_dir, free)

    def age_s(self, moment_ms: int | None) -> float:
        """Return how long ago ``moment_ms`` was, in seconds; 0 for None and for the future."""
        return 0.0 if moment_ms is None else max(0.0, (self._clock() - moment_ms) / 1000)

    def oldest_owed_s(self, rows: RowFigures) -> float:
        """Return how long the oldest delivery to a front that is configured is owed, in seconds."""
        served = set(self.fronts.states)
        owed = [moment for platform, moment in rows.oldest_owed_ms.items() if platform in served]
        return self.age_s(min(owed, default=None))

    async def _read(self) -> Reading:
        if self._under_way is None or self._under_way.done():
            self._under_way = asyncio.create_task(self._look())
        task = self._under_way
        await asyncio.wait({task}, timeout=READ_S)
        if task.done():
            return task.result()
        return Reading(None, None, has_room=True, trouble=self._figures.known_trouble)

    async def _look(self) -> Reading:
        free = (await outcome_of(asyncio.to_thread(self._rules.free_bytes))).value
        rows = (await outcome_of(self._figures.read())).value
        await outcome_of(self._figures.examine())
        room = free is not None and free >= self._rules.least_bytes
        return Reading(rows, free, room, self._figures.known_trouble)

    def _queue(self, rows: RowFigures | None) -> HealthCheck:
        if rows is None:
            return HealthCheck("queue", ok=False)
        oldest_s = self.age_s(rows.oldest_waiting_ms)
        idle = rows.running == 0 and self._seconds() - self._began_s > STALLED_S
        stalled = idle and oldest_s > STALLED_S
        late = self.limits.waiting_s is not None and oldest_s > self.limits.waiting_s
        facts = {
            "waiting": rows.waiting,
            "running": rows.running,
            "oldest_s": round(oldest_s, 1),
            "intake": rows.intake,
        }
        return HealthCheck("queue", not (stalled or late), facts)

    def _worker(self) -> HealthCheck:
        beat = self.worker.beat_at_s
        age_s = None if beat is None else round(self._seconds() - beat, 1)
        return HealthCheck(
            "worker", age_s is not None and age_s <= self.limits.beat_s, {"beat_age_s": age_s}
        )

    def _deliveries(self, rows: RowFigures | None) -> HealthCheck:
        if rows is None:
            return HealthCheck("deliveries", ok=False)
        oldest_s = self.oldest_owed_s(rows)
        facts = {"oldest_owed_s": round(oldest_s, 1), "dead": rows.deliveries.get("dead", 0)}
        return HealthCheck("deliveries", oldest_s <= self.limits.owed_s, facts)

    def _fronts(self) -> HealthCheck:
        states = dict(self.fronts.states)
        ok = all(state in {"connected", "waiting"} for state in states.values())
        return HealthCheck("fronts", ok, states)


def _database(reading: Reading) -> HealthCheck:
    facts = {"trouble": reading.trouble} if reading.trouble else {}
    return HealthCheck("database", reading.rows is not None and not facts, facts)
