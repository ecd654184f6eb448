"""The book of runs: what every run took, and the machine as it is known from them.

The estimator of the whole service is the :class:`RunBook`'s; it answers at once and from memory.
Recording and fitting happen beside it, after a job is settled; losing a record never matters.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from core.domain.limits import RequestLimits
from core.domain.nodes import DEFAULT_POOL
from core.domain.progress import Stage
from core.domain.requests import Request
from core.duration.budget import check_budget, gpu_ms, largest_fitting
from core.duration.calibration import Timing, calibrate
from core.duration.estimates import Estimate, Residency, estimate
from core.duration.hardware import hardware_for
from core.duration.launching import Launching
from core.duration.machine import Machine
from core.duration.memory import check_memory
from core.duration.sampling_plan import plan_of
from core.duration.workload import part_costs
from core.duration.zerogpu import DAY_S, Tier, counted_ms
from core.runtime.clock import Clock, now_ms
from core.storage.runs import (
    Fit,
    RecordedRun,
    RunPlace,
    add_run,
    load_fit,
    newest_place,
    recent_runs,
    save_fit,
)

if TYPE_CHECKING:
    from core.storage.database import Database

log = structlog.get_logger(__name__)

KEPT = 200  # newest runs of a place that a fit looks at
REFIT_EVERY = 5  # runs; with many known, after a tenth of them: one more changes little


def timings_of(
    request: Request, machine: Machine, spent: Mapping[Stage, float]
) -> tuple[Timing, ...]:
    """Return the timing of every part; parts that share a stage share its seconds as expected."""
    found = part_costs(machine.with_tiling(plan_of(request, machine.profile)))
    totals: dict[Stage, float] = {}
    for work in found:
        stage = work.part.stage
        totals[stage] = totals.get(stage, 0.0) + machine.seconds(work)
    return tuple(
        Timing(work, spent[work.part.stage] * machine.seconds(work) / totals[work.part.stage])
        for work in found
        if spent.get(work.part.stage, 0.0) > 0
    )


class RunBook:
    """Recorded runs of one place, and the machine that they describe."""

    def __init__(
        self,
        database: "Database",
        place: RunPlace,
        clock: Clock = now_ms,
        memory_bytes: float | None = None,
        vram: str = "auto",
    ) -> None:
        """Start from the profile of the place's device.

        Args:
            database: where runs are recorded.
            place: what they are recorded under.
            clock: for the time of a fit.
            memory_bytes: what the device reports to have.
            vram: how models share it, as the setting.
        """
        self._database = database
        self._clock = clock
        self._unfitted = 0
        self._reported = memory_bytes is not None  # else the memory is a guess
        self.place = place
        hardware, way = hardware_for(place.device, memory_bytes), Launching.of(place.pin)
        self.machine = Machine(hardware, place.profile, vram, way=way)
        # of who borrows the device for each run and is not known better; None: it is ours
        self.tier: Tier | None = None
        self.ready_s: Callable[[], float] | None = None  # from a loan to its first step, as of now

    def pool_of(self, request: Request) -> str:
        """Return the pool whose devices make ``request``: the only one there is."""
        del request
        return DEFAULT_POOL

    def machine_for(self, request: Request) -> Machine:
        """Return the machine that makes ``request``: this one."""
        del request
        return self.machine

    def estimate(self, request: Request, residency: Residency = Residency.DEVICE) -> Estimate:
        """Return what ``request`` takes where it is made, as known now."""
        return estimate(request, self.machine_for(request), residency)

    def cost_ms(self, answer: Estimate) -> int:
        """Return what a quota must hold for a run of ``answer``, milliseconds.

        The expected GPU time; where the device is lent, what its lender sets aside for the run.
        """
        return round(self._cost(answer))

    def check_budget(
        self, request: Request, budget_ms: float | None, limits: RequestLimits, tier: str = ""
    ) -> None:
        """Refuse ``request`` where it costs more than ``budget_ms`` here, see :meth:`cost_ms`.

        None stands for the whole day of who borrows the device, which bounds ``budget_ms`` too;
        nothing is refused where it is ours.

        Args:
            request: what was asked.
            budget_ms: as much as may be spent.
            limits: nothing shorter or smaller is named.
            tier: of who asks, where the device is lent; empty: nobody knows.

        Raises:
            TooLargeForDevice, DeviceTooSmall: it has no room in the device's memory.
            TooCostly: with the largest setting within ``limits`` that fits.
            NothingFits: not even the smallest does.
        """
        machine = self.machine_for(request)
        if machine.hardware.known or self._reported:
            check_memory(request, machine, limits)
        if self.tier is not None:
            day_ms = DAY_S[Tier(tier or self.tier)] * 1000
            budget_ms = day_ms if budget_ms is None else min(budget_ms, day_ms)
        if budget_ms is not None:
            check_budget(request, budget_ms, machine, limits, self._cost)

    def largest(self, request: Request, budget_ms: float, limits: RequestLimits) -> Request | None:
        """Find the largest request like ``request`` that costs at most ``budget_ms``."""
        machine = self.machine_for(request)
        return largest_fitting(request, budget_ms, machine, limits, self._cost)

    def _cost(self, answer: Estimate) -> float:
        if self.tier is None:
            return gpu_ms(answer)
        return counted_ms(answer, self.machine, self.ready_s() if self.ready_s else None)

    async def open(self) -> None:
        """Load the fit that earlier runs left."""
        async with self._database.snapshot() as connection:
            fit = await load_fit(connection, self.place)
        if fit is not None:
            self.machine = replace(self.machine, rates=fit.rates, spread=fit.spread, runs=fit.runs)
        if not self.machine.hardware.known and fit is None:
            log.warning("device_unknown", assumed=self.machine.hardware.key)

    async def record_run(self, run: RecordedRun) -> None:
        """Keep ``run`` and, every few runs, fit the machine again."""
        async with self._database.statement() as connection:
            await add_run(connection, run)
        if run.error is None and run.timings:
            self._unfitted += 1
        if self._unfitted >= max(REFIT_EVERY, self.machine.runs // 10):
            await self.refit()

    async def refit(self) -> Machine:
        """Fit the machine to its newest runs, keep the fit and return the machine."""
        async with self._database.snapshot() as connection:
            runs = await recent_runs(connection, KEPT, self.place)
        good = [run.timings for run in reversed(runs) if run.error is None and run.timings]
        fitted = await asyncio.to_thread(calibrate, self.machine, good)
        fit = Fit(dict(fitted.rates), fitted.spread or fitted.hardware.spread, fitted.runs)
        if not fit.plausible:  # estimates by it would refuse or break every request
            log.warning("fit_refused", runs=fitted.runs)
            self._unfitted = 0
            return self.machine
        if good:
            async with self._database.transaction() as connection:
                await save_fit(connection, self.place, fit, self._clock())
        self._unfitted = 0
        self.machine = fitted
        return fitted

    async def recent(self, limit: int = KEPT, *, everywhere: bool = False) -> list[RecordedRun]:
        """Return the newest runs, newest first."""
        async with self._database.snapshot() as connection:
            return await recent_runs(connection, limit, None if everywhere else self.place)


async def last_place(database: "Database") -> RunPlace | None:
    """Return where the newest recorded run was made."""
    async with database.snapshot() as connection:
        return await newest_place(connection)


def median_error(machine: Machine, runs: Iterable[RecordedRun]) -> float:
    """Return the median relative error of GPU seconds, 0.1 for 10 %; 0 without runs."""
    errors: list[float] = []
    for run in runs:
        paid = [item for item in run.timings if item.work.part.on_gpu]
        truth = sum(item.seconds for item in paid)
        if truth > 0:
            errors.append(abs(sum(machine.seconds(item.work) for item in paid) / truth - 1))
    errors.sort()
    return errors[len(errors) // 2] if errors else 0.0
