"""Cancel a run from any thread, by a token that it carries."""

import asyncio
from threading import Event

from core.errors import Cancelled


class CancelToken:
    """A request to stop, valid before, during and after the start; readable from any thread."""

    def __init__(self) -> None:
        self._event = Event()
        self._by = "owner"
        self._waiters: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    def cancel(self, by: str = "owner") -> None:
        """Ask the run to stop; the first call counts.

        Args:
            by: ``owner``, ``operator``, ``shutdown`` or ``time_limit``.
        """
        if self._event.is_set():
            return
        self._by = by
        self._event.set()
        for loop, event in tuple(self._waiters):  # on the loop's thread some may leave meanwhile
            loop.call_soon_threadsafe(event.set)

    @property
    def cancelled(self) -> bool:
        """Tell whether the run should stop."""
        return self._event.is_set()

    def raise_if_cancelled(self) -> None:
        """Stop here if asked to.

        Raises:
            Cancelled: somebody called :meth:`cancel`.
        """
        if self._event.is_set():
            raise Cancelled(self._by)

    async def wait(self) -> None:
        """Wait until somebody calls :meth:`cancel`."""
        event = asyncio.Event()
        entry = (asyncio.get_running_loop(), event)
        self._waiters.append(entry)
        try:
            if not self._event.is_set():
                await event.wait()
        finally:
            self._waiters.remove(entry)
