import asyncio

import pytest

from core.runtime.tasks import outcome_of, run_shielded, wait_event, wait_unless


async def test_an_error_becomes_data() -> None:
    async def broken() -> None:
        raise KeyError("defect")

    ended = await outcome_of(broken())

    assert isinstance(ended.error, KeyError)
    assert not ended.ok


async def test_a_call_that_takes_too_long_is_cancelled() -> None:
    cancelled = asyncio.Event()

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    ended = await outcome_of(endless(), timeout_s=0.01)

    assert ended.timed_out
    assert cancelled.is_set()


async def test_a_call_that_ignores_its_cancel_is_left_behind() -> None:
    release = asyncio.Event()

    async def stubborn() -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    ended = await outcome_of(stubborn(), timeout_s=0.01, unwind_s=0.01)
    release.set()

    assert ended.timed_out


async def test_cancelling_the_caller_cancels_the_call() -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def endless() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    caller = asyncio.create_task(outcome_of(endless()))
    await began.wait()
    caller.cancel()

    with pytest.raises(asyncio.CancelledError):
        await caller
    assert ended.is_set()


async def test_an_outcome_write_completes_although_the_caller_is_cancelled() -> None:
    began, go, written = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def write() -> None:
        began.set()
        await go.wait()
        written.set()

    caller = asyncio.create_task(run_shielded(write()))
    await began.wait()
    caller.cancel()
    asyncio.get_running_loop().call_soon(go.set)

    with pytest.raises(asyncio.CancelledError):
        await caller
    assert written.is_set()


async def test_waiting_for_an_event_ends_in_time() -> None:
    event = asyncio.Event()

    assert not await wait_event(event, 0.01)
    event.set()
    assert await wait_event(event, None)


async def test_a_task_is_waited_for_unless_a_signal_comes_first() -> None:
    go, signal = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(go.wait())

    asyncio.get_running_loop().call_soon(signal.set)
    assert not await wait_unless(task, signal.wait())
    asyncio.get_running_loop().call_soon(go.set)
    assert await wait_unless(task, asyncio.Event().wait())
