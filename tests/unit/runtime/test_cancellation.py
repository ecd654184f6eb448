"""A cancel reaches everybody who waits for it, from whichever thread it comes."""

import asyncio
import threading

import pytest

from core.runtime.cancellation import CancelToken


async def test_a_cancel_from_a_thread_wakes_all_who_wait_though_the_first_leaves_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    token, loop = CancelToken(), asyncio.get_running_loop()
    waiters = [asyncio.create_task(token.wait()) for _ in range(3)]
    await asyncio.sleep(0)
    left = threading.Event()
    waiters[0].add_done_callback(lambda _: left.set())
    wake = loop.call_soon_threadsafe

    def wake_and_see_the_first_leave(*arguments: object) -> object:
        handle = wake(*arguments)  # type: ignore[arg-type]
        left.wait(1)
        return handle

    monkeypatch.setattr(loop, "call_soon_threadsafe", wake_and_see_the_first_leave)
    cancelling = threading.Thread(target=token.cancel)
    cancelling.start()
    try:
        async with asyncio.timeout(10):
            await asyncio.gather(*waiters)
    finally:
        await asyncio.to_thread(cancelling.join)
