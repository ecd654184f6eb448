import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest

from bots.shared.edit_scheduler import EditScheduler, Throttled


@pytest.fixture
async def scheduler() -> AsyncIterator[EditScheduler]:
    made = EditScheduler(lambda _: 0.02)
    yield made
    await made.close()


class Room:
    """A channel that writes down what reaches it."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, float]] = []
        self.arrived = asyncio.Event()

    def edit(self, text: str, error: Exception | None = None):
        async def run() -> None:
            self.seen.append((text, asyncio.get_running_loop().time()))
            self.arrived.set()
            if error is not None:
                raise error

        return run

    async def until(self, text: str) -> None:
        while text not in self.texts:
            self.arrived.clear()
            await asyncio.wait_for(self.arrived.wait(), 5)

    @property
    def texts(self) -> list[str]:
        return [text for text, _ in self.seen]


async def test_only_the_newest_state_of_a_message_is_sent(scheduler: EditScheduler) -> None:
    room = Room()

    for step in range(50):
        scheduler.offer("c", "m", room.edit(f"step {step}"))
    await room.until("step 49")

    assert room.texts == ["step 49"]


async def test_messages_of_a_channel_share_its_budget(scheduler: EditScheduler) -> None:
    room = Room()

    for message in "abc":
        scheduler.offer("c", message, room.edit(message))
    await room.until("c")

    times = [at for _, at in room.seen]
    assert all(later - earlier >= 0.019 for earlier, later in pairwise(times))


async def test_a_result_leaves_at_once_and_holds_progress_back(scheduler: EditScheduler) -> None:
    room = Room()
    uploading = asyncio.Event()
    uploaded = asyncio.Event()

    async def upload() -> str:
        uploading.set()
        await uploaded.wait()
        room.seen.append(("clip", asyncio.get_running_loop().time()))
        return "id"

    scheduler.offer("c", "m", room.edit("first progress"))
    await room.until("first progress")
    scheduler.offer("c", "m", room.edit("progress of the same message"))
    task = asyncio.create_task(scheduler.result("c", "m", upload))
    await uploading.wait()
    scheduler.offer("c", "other", room.edit("progress of another message"))
    uploaded.set()

    assert await task == "id"
    await room.until("progress of another message")
    assert room.texts == ["first progress", "clip", "progress of another message"]


async def test_a_complaint_slows_the_channel_and_success_speeds_it_up_again(
    scheduler: EditScheduler,
) -> None:
    room = Room()

    scheduler.offer("c", "m", room.edit("too fast", Throttled(0.0)))
    await room.until("too fast")
    for _ in range(10):  # turns of the loop until the complaint is heard
        await asyncio.sleep(0)
    slowed = scheduler.interval_s("c")
    for step in range(3):
        scheduler.offer("c", "m", room.edit(f"step {step}"))
        await room.until(f"step {step}")
        await asyncio.sleep(0)

    assert slowed == pytest.approx(0.04)
    assert 0.02 <= scheduler.interval_s("c") < slowed


async def test_other_channels_keep_their_pace(scheduler: EditScheduler) -> None:
    slow, quick = Room(), Room()

    scheduler.offer("slow", "m", slow.edit("x", Throttled(30)))
    await slow.until("x")
    scheduler.offer("slow", "m", slow.edit("y"))
    scheduler.offer("quick", "m", quick.edit("z"))
    await quick.until("z")

    assert slow.texts == ["x"]


async def test_what_a_result_raises_reaches_its_sender(scheduler: EditScheduler) -> None:
    async def fail() -> None:
        raise Throttled(1)

    with pytest.raises(Throttled):
        await scheduler.result("c", "m", fail)

    assert scheduler.interval_s("c") == pytest.approx(0.04)


async def test_a_deleted_message_is_not_edited(scheduler: EditScheduler) -> None:
    room = Room()

    scheduler.offer("c", "gone", room.edit("gone"))
    scheduler.forget("c", "gone")
    scheduler.offer("c", "here", room.edit("here"))
    await room.until("here")

    assert room.texts == ["here"]


async def test_an_edit_that_breaks_stops_neither_its_channel_nor_another(
    scheduler: EditScheduler,
) -> None:
    room = Room()

    def broken():
        raise LookupError("before it is even a coroutine")

    scheduler.offer("c", "1", room.edit("one", ValueError("broken")))
    scheduler.offer("c", "2", broken)
    scheduler.offer("c", "3", room.edit("three"))

    await room.until("three")


@pytest.mark.parametrize("after_s", [float("inf"), float("nan"), -1.0, 1e12])
async def test_a_pause_without_end_is_none(scheduler: EditScheduler, after_s: float) -> None:
    room = Room()
    scheduler.offer("c", "1", room.edit("one", Throttled(after_s)))
    await room.until("one")
    await asyncio.sleep(0)

    channel = scheduler._channels["c"]  # the moment of the next edit
    assert channel.next_at <= asyncio.get_running_loop().time() + 900


async def test_idle_channels_are_forgotten() -> None:
    scheduler = EditScheduler(lambda _: 0.0)
    room = Room()
    for chat in range(2000):
        scheduler.offer(str(chat), "m", room.edit(str(chat)))
        scheduler.interval_s(f"asked {chat}")
    await scheduler.result("result", "m", lambda: asyncio.sleep(0, "done"))
    await scheduler.first("first", "m", room.edit("first"))
    await room.until("1999")
    forgotten = asyncio.Event()
    loop = asyncio.get_running_loop()

    def look() -> None:
        if scheduler._channels:  # what grows
            loop.call_soon(look)
        else:
            forgotten.set()

    look()
    await asyncio.wait_for(forgotten.wait(), 10)
    await scheduler.close()


async def test_a_first_state_that_comes_late_overwrites_no_progress(
    scheduler: EditScheduler,
) -> None:
    room = Room()
    scheduler.offer("c", "m", room.edit("first pass"))
    await room.until("first pass")

    await scheduler.first("c", "m", room.edit("next in line"))
    assert room.texts == ["first pass"]

    scheduler.forget("c", "m")  # the message stands for another job now
    await scheduler.first("c", "m", room.edit("next in line"))
    assert room.texts[-1] == "next in line"
