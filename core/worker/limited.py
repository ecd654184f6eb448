"""Run one part of an attempt within its time; what does not stop is left behind, not waited for."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from core.runtime.tasks import wait_unless
from core.worker.attempt import JobAttempt

T = TypeVar("T")
TIME_LIMIT = "time_limit"  # who cancels an attempt that takes too long


async def run_limited(
    call: Coroutine[Any, Any, T],
    attempt: JobAttempt,
    limit_s: float,
    unwind_s: Callable[[], float],
    leave: Callable[["asyncio.Task[T]"], None],
) -> "asyncio.Task[T]":
    """Run ``call`` until it ends, or ``attempt`` is cancelled and ``call`` had time to stop.

    Args:
        call: a part of the attempt.
        attempt: is cancelled after ``limit_s`` seconds.
        limit_s: what the part may take.
        unwind_s: asked once for the seconds that it may take to stop.
        leave: gets the task where it does not.

    Returns:
        The task, done.

    Raises:
        Cancelled: it was left behind.
        CancelledError: the caller was cancelled; the task was left behind if it was not done.
    """
    run = asyncio.create_task(call)
    try:
        await wait_within(run, attempt, limit_s)
        if not run.done():
            await asyncio.wait({run}, timeout=unwind_s())
    finally:
        if not run.done():
            attempt.cancel.cancel("shutdown")
            leave(run)
        elif not run.cancelled():
            run.exception()  # looked at, else asyncio complains of what a cancel hides
    if not run.done():
        attempt.cancel.raise_if_cancelled()
    return run


async def wait_within(run: "asyncio.Task[Any]", attempt: JobAttempt, limit_s: float) -> None:
    """Wait until ``run`` is done, or ``attempt`` is cancelled: after ``limit_s`` seconds by us."""
    attempt.limit_s = limit_s
    loop = asyncio.get_running_loop()
    limit = loop.call_later(limit_s, attempt.cancel.cancel, TIME_LIMIT)
    try:
        await wait_unless(run, attempt.cancel.wait())
    finally:
        limit.cancel()
