"""Run calls as tasks whose failure is data, so that one task's defect stays that task's own.

Deliveries, heartbeats and maintenance run other people's code and ask other machines: each call
runs as its own task, and its error is looked at instead of being caught.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TaskOutcome(Generic[T]):
    """How a call ended: with a value, with an error, or not in time (neither)."""

    value: T | None = None
    error: BaseException | None = None
    timed_out: bool = False

    @property
    def ok(self) -> bool:
        """Tell whether the call returned."""
        return self.error is None and not self.timed_out


async def outcome_of(
    call: Coroutine[Any, Any, T], timeout_s: float | None = None, unwind_s: float = 5.0
) -> TaskOutcome[T]:
    """Run ``call`` as a task of its own and return how it ended.

    Cancelling the caller cancels the call and propagates.

    Args:
        call: what to run.
        timeout_s: seconds until it is cancelled; None waits for ever.
        unwind_s: seconds it may take to stop after that; then it is left behind.

    Returns:
        The value, the error or the fact that it timed out.
    """
    task = asyncio.create_task(call)
    task.add_done_callback(_mark_error_seen)
    late = False
    try:
        await asyncio.wait({task}, timeout=timeout_s)
    finally:
        if not task.done():
            late = True
            task.cancel()
            await asyncio.wait({task}, timeout=unwind_s)
    if not task.done() or (late and task.cancelled()):
        return TaskOutcome(timed_out=True)
    if task.cancelled():
        return TaskOutcome(error=asyncio.CancelledError())
    error = task.exception()
    return TaskOutcome(error=error) if error is not None else TaskOutcome(value=task.result())


async def run_shielded(call: Coroutine[Any, Any, T]) -> T:
    """Run ``call`` to its end even if the caller is cancelled meanwhile; cancel the caller then.

    Raises:
        CancelledError: the caller was cancelled; ``call`` is over, whatever came of it.
    """
    task = asyncio.create_task(call)
    await _wait_ended(task)
    return task.result()


async def cancel_and_wait(task: "asyncio.Task[Any]") -> None:
    """Cancel ``task`` and wait until it has ended, also where the caller is cancelled meanwhile.

    Raises:
        CancelledError: the caller was cancelled; ``task`` has ended.
    """
    task.cancel()
    await _wait_ended(task)


async def wait_unless(task: "asyncio.Task[Any]", signal: Coroutine[Any, Any, object]) -> bool:
    """Wait until ``task`` has ended, unless ``signal`` returns before; return whether it has."""
    signalled = asyncio.create_task(signal)
    try:
        await asyncio.wait({task, signalled}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        signalled.cancel()
    return task.done()


async def wait_event(event: asyncio.Event, timeout_s: float | None) -> bool:
    """Wait until ``event`` is set, at most ``timeout_s`` seconds; return whether it is."""
    if not event.is_set():
        waiting = asyncio.create_task(event.wait())
        try:
            await asyncio.wait({waiting}, timeout=timeout_s)
        finally:
            waiting.cancel()
    return event.is_set()


async def wait_ended(task: "asyncio.Task[Any]") -> asyncio.CancelledError | None:
    """Wait until ``task`` has ended, however often the caller is cancelled meanwhile.

    Returns:
        The cancel that came meanwhile, which the caller has to raise or answer for.
    """
    cancel: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancel = error
    return cancel


async def _wait_ended(task: "asyncio.Task[Any]") -> None:
    """Wait until ``task`` has ended, also where the caller is cancelled meanwhile.

    Raises:
        CancelledError: the caller was cancelled; ``task`` has ended, and its error is seen.
    """
    cancel = await wait_ended(task)
    _mark_error_seen(task)
    if cancel is not None:
        raise cancel


def _mark_error_seen(task: "asyncio.Task[Any]") -> None:
    """Mark the error of a task that was left behind as seen, or asyncio complains at its end."""
    if not task.cancelled():
        task.exception()
