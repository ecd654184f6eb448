import asyncio

from core.domain.progress import Progress, Stage, Waiting, Working
from core.runtime.notifier import LocalDispatcher
from core.runtime.progress_hub import ProgressHub


def step(number: int) -> Working:
    return Working(Stage.STAGE1, number, 8, number / 8)


async def collect(hub: ProgressHub, job_id: str, ready: asyncio.Event) -> list[Progress]:
    seen: list[Progress] = []
    ready.set()
    async for event in hub.watch(job_id):
        seen.append(event)
    return seen


async def test_a_slow_watcher_reads_only_the_newest_event() -> None:
    hub = ProgressHub()

    with hub.subscribe("a") as watcher:
        for number in range(1, 6):
            hub.publish("a", step(number))

        assert await watcher.read() == step(5)


async def test_a_late_watcher_begins_with_the_newest_event() -> None:
    hub = ProgressHub()
    hub.publish("a", Waiting(2, 30.0))

    with hub.subscribe("a") as watcher:
        assert await watcher.read(0.01) == Waiting(2, 30.0)


async def test_watching_ends_when_the_job_ends_after_its_last_event() -> None:
    hub, ready = ProgressHub(), asyncio.Event()
    watching = asyncio.create_task(collect(hub, "a", ready))
    await ready.wait()
    await asyncio.sleep(0)

    hub.publish("a", step(1))
    hub.close("a")

    assert await watching == [step(1)]
    assert hub.latest("a") is None


async def test_watchers_of_other_jobs_hear_nothing() -> None:
    hub = ProgressHub()

    with hub.subscribe("b") as watcher:
        hub.publish("a", step(1))

        assert await watcher.read(0.01) is None


async def test_a_wake_up_before_the_wait_is_not_lost() -> None:
    dispatcher = LocalDispatcher()
    dispatcher.wake()

    async with asyncio.timeout(30):
        await dispatcher.wait(60)


async def test_a_cancel_reaches_the_attempt_that_runs_here_and_no_later_one() -> None:
    dispatcher = LocalDispatcher()
    first = dispatcher.token_for("a")

    dispatcher.cancel("a", "operator")
    dispatcher.release("a", first)
    dispatcher.cancel("unknown", "owner")

    assert first.cancelled
    assert not dispatcher.token_for("a").cancelled
    assert not dispatcher.token_for("unknown").cancelled


async def test_an_attempt_that_lost_its_job_shares_no_cancel_with_the_next_one() -> None:
    dispatcher = LocalDispatcher()
    lost, newer = dispatcher.token_for("a"), dispatcher.token_for("a")

    lost.cancel("owner")
    dispatcher.release("a", lost)
    assert not newer.cancelled
    dispatcher.cancel("a", "owner")

    assert newer.cancelled
