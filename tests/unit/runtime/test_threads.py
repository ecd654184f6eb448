"""Work in threads and under a token ends before its caller does, however often it is cancelled."""

import asyncio
import threading

import pytest

from core.errors import Cancelled
from core.runtime.cancellation import CancelToken
from core.runtime.threads import finish_in_thread, until_cancelled


async def turn(times: int) -> None:
    for _ in range(times):
        await asyncio.sleep(0)


async def test_work_in_a_thread_has_ended_also_where_its_caller_is_cancelled_twice() -> None:
    began, go, ended = asyncio.Event(), threading.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def work() -> None:
        loop.call_soon_threadsafe(began.set)
        go.wait()
        ended.set()

    caller = asyncio.create_task(finish_in_thread(work))
    await began.wait()
    for _ in range(2):
        caller.cancel()
        await asyncio.sleep(0)
    loop.call_soon(go.set)

    with pytest.raises(asyncio.CancelledError):
        await caller
    assert ended.is_set()


async def test_a_token_ends_what_it_is_for_and_waits_until_that_is_over() -> None:
    token, began, ended = CancelToken(), asyncio.Event(), asyncio.Event()

    async def endless() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.set()

    caller = asyncio.create_task(until_cancelled(endless(), token))
    await began.wait()
    token.cancel("operator")

    with pytest.raises(Cancelled):
        await caller
    assert ended.is_set()


@pytest.mark.parametrize("turns", range(6))
async def test_a_cancel_is_heard_at_each_turn_of_the_loop_around_the_end_of_the_work(
    turns: int,
) -> None:
    """One that is swallowed lets a task go on that its group waits for."""
    go = asyncio.Event()
    caller = asyncio.create_task(until_cancelled(go.wait(), CancelToken()))
    await turn(3)
    go.set()
    await turn(turns)

    taken = caller.cancel()
    await asyncio.wait({caller})

    assert caller.cancelled() == taken
