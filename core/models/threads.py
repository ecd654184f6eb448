"""Blocking work for a coroutine: off the event loop, and cancelled without loose ends."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from core.executor import CancelToken

T = TypeVar("T")


async def in_thread(function: Callable[..., T], *arguments: object) -> T:
    """Return ``function(*arguments)`` from a thread; a cancel waits for its end.

    For short work on shared files, which must not go on behind the back of who cancelled it.

    Raises:
        CancelledError: the awaiting task was cancelled; the function has ended by then.
    """
    work = asyncio.ensure_future(asyncio.to_thread(function, *arguments))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        raise


async def until_cancelled(work: Coroutine[Any, Any, T], cancel: CancelToken) -> T:
    """Return the result of ``work`` unless somebody cancels it first.

    Raises:
        Cancelled: by ``cancel``; ``work`` has ended when this is raised.
    """
    task = asyncio.ensure_future(work)
    alarm = asyncio.ensure_future(cancel.wait())
    try:
        await asyncio.wait({task, alarm}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        cancel.raise_if_cancelled()
        return await task
    finally:
        for future in (task, alarm):
            future.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.wait([future])
