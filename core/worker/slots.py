"""Where attempts stand: one on the device, one in the encoder, one claimed for the device's end.

Claiming takes a transaction, a flushed disk and its turn at the database. So the next job is
claimed shortly before the device is free, and begins in the moment it is; which job that is stays
open until then.
"""

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import structlog

from core.worker.attempt import Attempt

if TYPE_CHECKING:
    from core.domain.media import RawClip

log = structlog.get_logger(__name__)


class Stations:
    """Hands the device and the encoder from attempt to attempt, and says when to claim."""

    def __init__(self) -> None:
        self._device_free = asyncio.Event()
        self._device_free.set()
        self._encoder = asyncio.Semaphore(1)
        self._way = asyncio.Event()  # nobody is claimed who does not have the device
        self._way.set()

    @property
    def device_free(self) -> bool:
        """Return whether nothing is on the device."""
        return self._device_free.is_set()

    async def opening(self) -> None:
        """Return when one more job may be claimed."""
        await self._way.wait()

    def claimed(self) -> None:
        """Close the way: an attempt was claimed, and makes way in its time."""
        self._way.clear()

    def stop(self) -> None:
        """Let go of whoever waits at :meth:`opening`."""
        self._way.set()

    async def take_device(self, attempt: Attempt) -> None:
        """Wait for the device.

        Raises:
            Cancelled: somebody stopped the attempt meanwhile.
        """
        while not self._device_free.is_set() and not attempt.cancel.cancelled:
            waits = [
                asyncio.create_task(event.wait()) for event in (self._device_free, attempt.cancel)
            ]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
        attempt.cancel.raise_if_cancelled()
        self._device_free.clear()
        attempt.has_device = True
        attempt.takes_device()

    def make_way_in(self, attempt: Attempt, seconds: float) -> None:
        """Open the way then, for the attempt that has the device; the newest word counts."""
        if attempt.has_device and not attempt.made_way and not attempt.left_behind:
            attempt.forget_way()
            loop = asyncio.get_running_loop()
            attempt.way = loop.call_later(max(0.0, seconds), self._make_way, attempt)

    async def move_on(self, attempt: Attempt) -> None:
        """Move from the device to the encoder; frames of at most two jobs are in memory."""
        await self._encoder.acquire()
        attempt.has_encoder = True
        self._leave_device(attempt)

    def leave(self, attempt: Attempt) -> None:
        """Free whatever ``attempt`` has: it is over."""
        if not attempt.left_behind:
            self._leave_device(attempt)
        self.leave_encoder(attempt)

    def leave_behind(self, run: "asyncio.Task[RawClip]", attempt: Attempt) -> None:
        """Give up on an executor that does not stop; the device is free again when it returns."""
        log.error("executor_does_not_stop", job_id=attempt.job.id)
        attempt.left_behind = True
        attempt.forget_way()
        attempt.cancel.cancel("shutdown")
        run.cancel()
        run.add_done_callback(partial(self._returned, attempt))

    def leave_encoder(self, attempt: Attempt) -> None:
        """Free the encoder if ``attempt`` has it."""
        if attempt.has_encoder:
            attempt.has_encoder = False
            self._encoder.release()

    def _returned(self, attempt: Attempt, run: "asyncio.Task[RawClip]") -> None:
        if not run.cancelled() and run.exception() is not None:
            log.warning("executor_stopped_late", exc_info=run.exception())
        self._leave_device(attempt)

    def _leave_device(self, attempt: Attempt) -> None:
        """Free the device if ``attempt`` has it; who never had it makes way all the same."""
        self._make_way(attempt)
        if attempt.has_device:
            attempt.has_device = False
            self._device_free.set()

    def _make_way(self, attempt: Attempt) -> None:
        attempt.forget_way()
        if not attempt.made_way:
            attempt.made_way = True
            self._way.set()
