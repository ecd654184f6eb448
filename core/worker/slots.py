"""Slots for the devices and the encoders: an attempt has one of each, by ``async with``.

Claiming a job takes a transaction, a flushed disk and a turn at the database. So the next job is
claimed shortly before a device is free, and starts at the moment it is; which job that will be
stays open until then. There is one device unless the executor borrows several.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import structlog

from core.runtime.cancellation import CancelToken
from core.runtime.tasks import wait_unless

if TYPE_CHECKING:
    from core.domain.media import RawClip

log = structlog.get_logger(__name__)


class ClaimPermits:
    """How many more jobs may be claimed: one a device, given back by the attempt that had it."""

    def __init__(self, count: int) -> None:
        self._left = count
        self._some = asyncio.Event()
        self._some.set()

    @property
    def some(self) -> bool:
        """Tell whether there is one, or :meth:`stop` was called."""
        return self._some.is_set()

    async def any(self) -> None:
        """Wait until there is one, or :meth:`stop` was called."""
        await self._some.wait()

    def take(self) -> None:
        """Use one up."""
        self._left -= 1
        if self._left <= 0:
            self._some.clear()

    def add(self) -> None:
        """Give one back."""
        self._left += 1
        self._some.set()

    def stop(self) -> None:
        """Wake who waits."""
        self._some.set()


class DeviceSlot:
    """A device as one attempt has it; the next job may be claimed shortly before its end."""

    def __init__(self, devices: asyncio.Semaphore, permits: ClaimPermits) -> None:
        self._devices = devices
        self._permits = permits
        self._held = False
        self._next_allowed = False  # set once: the claim that follows belongs to the next attempt
        self._allow_later: asyncio.TimerHandle | None = None
        self._run: asyncio.Task[RawClip] | None = None  # does not stop, and keeps the device

    async def take(self, cancel: CancelToken) -> None:
        """Wait for a device, first come first served; a cancel ends the wait without one."""
        if self._held or cancel.cancelled:
            return
        if not self._devices.locked():
            await self._devices.acquire()  # at once
            self._held = True
            return
        turn = asyncio.create_task(self._devices.acquire())
        try:
            await wait_unless(turn, cancel.wait())
        finally:
            self._held = turn.done() and not turn.cancelled()
            turn.cancel()
        if cancel.cancelled:
            self._give_back()

    def step_aside(self) -> None:
        """Let others have the device and the next job be claimed, until it is taken again."""
        self._allow_claim()
        self._give_back()

    def allow_claim_in(self, seconds: float) -> None:
        """Let the next job be claimed in ``seconds``; a later call replaces an earlier one."""
        if not self._next_allowed and self._run is None:
            self._forget_timer()
            loop = asyncio.get_running_loop()
            self._allow_later = loop.call_later(max(0.0, seconds), self._allow_claim)

    def release(self) -> None:
        """Free the device and let the next job be claimed, unless an executor is still on it."""
        if self._run is not None and not self._run.done():
            return
        self._allow_claim()
        self._give_back()

    def release_after(self, run: "asyncio.Task[RawClip]") -> None:
        """Keep the device until ``run`` ends, also past the block: two would share its memory."""
        self._forget_timer()
        self._run = run
        run.add_done_callback(self._run_ended)

    def _run_ended(self, run: "asyncio.Task[RawClip]") -> None:
        if not run.cancelled() and run.exception() is not None:
            log.warning("executor_stopped_late", exc_info=run.exception())
        self.release()

    def _give_back(self) -> None:
        if self._held:
            self._held = False
            self._devices.release()

    def _allow_claim(self) -> None:
        self._forget_timer()
        if not self._next_allowed:
            self._next_allowed = True
            self._permits.add()

    def _forget_timer(self) -> None:
        if self._allow_later is not None:
            self._allow_later.cancel()
            self._allow_later = None


class Slots:
    """An attempt on each device, at most one claimed for each, and half as many in the encoders."""

    def __init__(self, devices: int = 1) -> None:
        """Take how many orders are executed side by side."""
        self.encoder = asyncio.Semaphore(max(1, devices // 2))
        self._devices = asyncio.Semaphore(devices)
        self._permits = ClaimPermits(devices)

    @property
    def device_free(self) -> bool:
        """Tell whether there is a device that no attempt has, or waits for."""
        return not self._devices.locked()

    @property
    def claim_allowed(self) -> bool:
        """Tell whether :meth:`may_claim` would return at once."""
        return self._permits.some

    async def may_claim(self) -> None:
        """Wait until one more job may be claimed, or :meth:`stop` was called."""
        await self._permits.any()

    def claimed(self) -> None:
        """Allow a claim less, until the attempt just claimed allows it in :meth:`device`."""
        self._permits.take()

    def stop(self) -> None:
        """Wake the claim loop, so that it can exit."""
        self._permits.stop()

    @asynccontextmanager
    async def device(self, cancel: CancelToken) -> AsyncGenerator[DeviceSlot]:
        """Wait for a device, and have it for the block or until it is released there.

        A cancel ends the wait. The block then runs without the device, so that it can settle the
        attempt before the next job is claimed; it must ask ``cancel`` before it uses the device.
        """
        slot = DeviceSlot(self._devices, self._permits)
        try:
            await slot.take(cancel)
            yield slot
        finally:
            slot.release()
