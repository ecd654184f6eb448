"""Estimates from the devices of the pools that are known, wherever a request comes in.

A request goes to the pool of the least memory that has room for it, and takes what the slowest
device there takes.
"""

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from core.domain.nodes import NodeDevice, Pool
from core.domain.requests import Request
from core.duration.estimates import estimate
from core.duration.hardware import hardware_for
from core.duration.launching import Launching
from core.duration.machine import Machine
from core.duration.sampling_plan import plan_of
from core.duration.workload import WEIGHTS
from core.errors.nodes import NoWorkerYet
from core.interfaces.nodes import Nodes
from core.runtime.clock import Clock, now_ms
from core.runtime.tasks import outcome_of, wait_event
from core.service.estimator import RunBook
from core.storage.runs import RunPlace, load_fit

if TYPE_CHECKING:
    from core.storage.database import Database

log = structlog.get_logger(__name__)

LOOK_S = 5.0  # a new device is estimated by its profile so long, before its own runs speak
NO_PLACE = RunPlace("", "draft", "")  # of a front: it makes nothing
UNKNOWN_PROFILE = "fp8"  # stands for one that only newer programs know
AGAIN_LOOKS = 12  # looks after which fits are read again: workers refit them


class PoolRunBook(RunBook):
    """The runs of this process's own device, where it has one, and what is known of all others."""

    def __init__(
        self,
        database: "Database",
        place: RunPlace,
        nodes: Nodes,
        clock: Clock = now_ms,
        memory_bytes: float | None = None,
        vram: str = "auto",
    ) -> None:
        """Take what :class:`RunBook` takes, and who tells the pools."""
        super().__init__(database, place, clock, memory_bytes, vram)
        self._own = place != NO_PLACE
        self._nodes = nodes
        self._known: dict[NodeDevice, Machine] = {}

    def pool_of(self, request: Request) -> str:
        """Return the pool of the least memory that has room for ``request``.

        One that has workers is preferred; where none has room, the largest has to try.

        Raises:
            NoWorkerYet: no worker has ever registered.
        """
        return self._pool_for(request).name

    def machine_for(self, request: Request) -> Machine:
        """Return the slowest machine of the pool that makes ``request``.

        Raises:
            NoWorkerYet: no worker has ever registered.
        """
        machines = [self._machine(device) for device in self._pool_for(request).devices]
        return max(machines, key=lambda machine: estimate(request, machine).gpu_ms)

    async def open(self) -> None:
        """Load the fits that earlier runs left."""
        if self._own:
            await super().open()
        await self._look()
        pools = self._nodes.pools()
        if pools and not self._own:  # a front: it shows the smallest device
            first = pools[0].devices[0]
            self.machine, self.place = self._machine(first), _place_of(first)

    async def run(self, stop: asyncio.Event) -> None:
        """Learn of devices that come, and what workers learn of theirs, until ``stop`` is set."""
        looks = 0
        while not await wait_event(stop, LOOK_S):
            looks += 1
            looked = await outcome_of(self._look(again=looks % AGAIN_LOOKS == 0))
            if not looked.ok:
                log.warning("fits_not_read", reason=type(looked.error).__name__)

    async def _look(self, *, again: bool = False) -> None:
        """Read the fits of devices that are not known yet; ``again``: of all."""
        devices = {device for pool in self._nodes.pools() for device in pool.devices}
        for device in devices if again else devices - self._known.keys():
            async with self._database.snapshot() as connection:
                fit = await load_fit(connection, _place_of(device))
            machine = _blank(device)
            if fit is not None:
                machine = replace(machine, rates=fit.rates, spread=fit.spread, runs=fit.runs)
            self._known[device] = machine

    def _pool_for(self, request: Request) -> Pool:
        pools = self._nodes.pools()
        if not pools:
            raise NoWorkerYet
        with_room = [pool for pool in pools if self._has_room(pool, request)] or [pools[-1]]
        return next((pool for pool in with_room if pool.slots), with_room[0])

    def _has_room(self, pool: Pool, request: Request) -> bool:
        machines = [self._machine(device) for device in pool.devices]
        return all(machine.fits(plan_of(request, machine.profile)) for machine in machines)

    def _machine(self, device: NodeDevice) -> Machine:
        if self._own and _place_of(device) == self.place:
            return self.machine
        return self._known.get(device) or _blank(device)


def _place_of(device: NodeDevice) -> RunPlace:
    return RunPlace(device.device, device.profile, device.pin)


def _blank(device: NodeDevice) -> Machine:
    profile = device.profile if device.profile in WEIGHTS else UNKNOWN_PROFILE
    hardware, way = hardware_for(device.device, device.vram_bytes or None), Launching.of(device.pin)
    return Machine(hardware, profile, way=way)
