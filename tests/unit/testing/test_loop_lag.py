"""What holds the loop is seen, whether it works or only waits; an idle loop has a short pulse."""

import asyncio
import time
from collections.abc import Callable

import pytest

from core.testing.loop_lag import LoopLag


def work() -> None:
    until = time.thread_time() + 0.3
    while time.thread_time() < until:
        pass


@pytest.mark.parametrize("hold", [work, lambda: time.sleep(1)], ids=["working", "blocked"])
async def test_a_held_loop_is_seen(hold: Callable[[], None]) -> None:
    async with LoopLag() as pulse:
        await asyncio.sleep(0.02)
        hold()  # as a careless handler would
        await asyncio.sleep(0.02)

    assert pulse.longest_s > 0.15  # a busy machine may excuse a part of a wait


async def test_work_in_a_thread_does_not_hold_the_loop() -> None:
    async with LoopLag() as pulse:
        await asyncio.to_thread(time.sleep, 0.3)

    assert pulse.longest_s < 0.2
