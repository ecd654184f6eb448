"""Slots for the device and the encoder: one attempt at a time has each, by ``async with``.

Claiming a job takes a transaction, a flushed disk and a turn at the database. So the next job is
claimed shortly before the device is free, and starts at the moment it is; which job that will be
stays open until then.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import structlog

from core.runtime.cancellation import CancelToken

if TYPE_CHECKING:
    from core.domain.media import RawClip

log = structlog.get_logger(__name__)


class DeviceSlot:
    """The device as one attempt has it; the next job may be claimed shortly before its end."""

    def __init__(self, device_free: asyncio.Event, may_claim: asyncio.Event) -> None:
        self._device_free = device_free
        self._may_claim = may_claim
        self._held = False
        self._next_allowed = False  # set once: the claim that follows belongs to the next attempt
        self._allow_later: asyncio.TimerHandle | None = None
        self._run: asyncio.Task[RawClip] | None = None  # does not stop, and keeps the device

    def take(self) -> None:
        """Take the device, which must be free."""
        self._device_free.clear()
        self._held = True

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
        if self._held:
            self._held = False
            self._device_free.set()

    def release_after(self, run: "asyncio.Task[RawClip]") -> None:
        """Keep the device until ``run`` ends, also past the block: two would share its memory."""
        self._forget_timer()
        self._run = run
        run.add_done_callback(self._run_ended)

    def _run_ended(self, run: "asyncio.Task[RawClip]") -> None:
        if not run.cancelled() and run.exception() is not None:
            log.warning("executor_stopped_late", exc_info=run.exception())
        self.release()

    def _allow_claim(self) -> None:
        self._forget_timer()
        if not self._next_allowed:
            self._next_allowed = True
            self._may_claim.set()

    def _forget_timer(self) -> None:
        if self._allow_later is not None:
            self._allow_later.cancel()
            self._allow_later = None


class Slots:
    """One attempt on the device, one in the encoder, and at most one claimed for the device."""

    def __init__(self) -> None:
        self.encoder = asyncio.Semaphore(1)
        self._device_free = asyncio.Event()
        self._device_free.set()
        self._may_claim = asyncio.Event()
        self._may_claim.set()

    @property
    def device_free(self) -> bool:
        """Tell whether no attempt has the device."""
        return self._device_free.is_set()

    async def may_claim(self) -> None:
        """Wait until one more job may be claimed, or :meth:`stop` was called."""
        await self._may_claim.wait()

    def claimed(self) -> None:
        """Allow no further claim before the attempt just claimed allows it in :meth:`device`."""
        self._may_claim.clear()

    def stop(self) -> None:
        """Wake the claim loop, so that it can exit."""
        self._may_claim.set()

    @asynccontextmanager
    async def device(self, cancel: CancelToken) -> AsyncGenerator[DeviceSlot]:
        """Wait for the device, and have it for the block or until it is released there.

        A cancel ends the wait. The block then runs without the device, so that it can settle the
        attempt before the next job is claimed; it must ask ``cancel`` before it uses the device.
        """
        slot = DeviceSlot(self._device_free, self._may_claim)
        try:
            await self._device_or_cancel(cancel)
            if not cancel.cancelled:
                slot.take()
            yield slot
        finally:
            slot.release()

    async def _device_or_cancel(self, cancel: CancelToken) -> None:
        while not self._device_free.is_set() and not cancel.cancelled:
            waits = [asyncio.create_task(event.wait()) for event in (self._device_free, cancel)]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
