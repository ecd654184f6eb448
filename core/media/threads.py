"""Work in a thread that stops when its task is cancelled, and is over before the task is."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from threading import Event
from typing import TypeAlias, TypeVar

from core.errors import Cancelled
from core.executor import CancelToken

T = TypeVar("T")
Check: TypeAlias = Callable[[], None]  # called often; raises when the work shall stop


async def in_thread(work: Callable[[Check], T], cancel: CancelToken | None = None) -> T:
    """Run ``work`` in a thread, cancellable.

    Args:
        work: gets the function that says when to stop.
        cancel: stops it too.

    Returns:
        What ``work`` returns.

    Raises:
        Cancelled: ``cancel`` was cancelled.
    """
    stop = Event()

    def check() -> None:
        if stop.is_set():
            raise Cancelled("shutdown")
        if cancel is not None:
            cancel.raise_if_cancelled()

    running = asyncio.ensure_future(asyncio.to_thread(work, check))
    try:
        return await asyncio.shield(running)
    finally:
        stop.set()
        while not running.done():  # cancelled: nothing of it may go on behind our back
            with suppress(asyncio.CancelledError):
                await asyncio.wait([running])
        running.exception()  # seen, also where the cancellation is what the caller sees
