"""Run work in a thread that stops when its task is cancelled, and is over before the task is."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from threading import Event
from typing import Any, TypeAlias, TypeVar

from core.errors import Cancelled
from core.runtime.cancellation import CancelToken
from core.runtime.tasks import cancel_and_wait, run_shielded, wait_unless

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
        while not running.done():  # cancelled: nothing of it may go on after this call
            with suppress(asyncio.CancelledError):
                await asyncio.wait([running])
        running.exception()  # seen, also where the cancellation is what the caller sees


async def finish_in_thread(function: Callable[..., T], *arguments: object) -> T:
    """Run ``function(*arguments)`` in a thread; a cancel waits for its end.

    For short work on shared files, which must not go on after the caller was cancelled.

    Raises:
        CancelledError: the awaiting task was cancelled; the function has ended by then.
    """
    return await run_shielded(asyncio.to_thread(function, *arguments))


async def until_cancelled(work: Coroutine[Any, Any, T], cancel: CancelToken) -> T:
    """Await ``work`` unless somebody cancels it first.

    Raises:
        Cancelled: by ``cancel``; ``work`` has ended when this is raised.
    """
    task = asyncio.create_task(work)
    try:
        if not await wait_unless(task, cancel.wait()):
            cancel.raise_if_cancelled()
        return task.result()
    finally:
        await cancel_and_wait(task)
