"""Who has the device and the encoder, and when the next job may be claimed."""

import asyncio

import pytest

from core.runtime.cancellation import CancelToken
from core.worker.slots import Slots


async def may_claim(slots: Slots) -> bool:
    """Say whether a claim is allowed at once."""
    waiting = asyncio.create_task(slots.may_claim())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting.cancel()
    return waiting.done() and not waiting.cancelled()


@pytest.fixture
def slots() -> Slots:
    slots = Slots()
    slots.claimed()
    return slots


async def test_the_device_is_free_and_a_claim_allowed_after_the_block(slots: Slots) -> None:
    async with slots.device(CancelToken()):
        assert not slots.device_free
        assert not await may_claim(slots)

    assert slots.device_free
    assert await may_claim(slots)


@pytest.mark.parametrize("error", [KeyError("defect"), asyncio.CancelledError()])
async def test_a_block_that_fails_frees_the_device(slots: Slots, error: BaseException) -> None:
    with pytest.raises(type(error)):
        async with slots.device(CancelToken()):
            raise error

    assert slots.device_free
    assert await may_claim(slots)


async def test_the_next_attempt_has_the_device_as_soon_as_the_first_releases_it(
    slots: Slots,
) -> None:
    order: list[str] = []
    release, both = asyncio.Event(), asyncio.Event()

    async def attempt(name: str) -> None:
        async with slots.device(CancelToken()) as device:
            order.append(name)
            if len(order) == 2:
                both.set()
            await release.wait()
            device.release()
            await asyncio.Event().wait()  # encoded beside it

    tasks = [asyncio.create_task(attempt(name)) for name in ("first", "second")]
    await asyncio.sleep(0)
    assert order == ["first"]
    release.set()
    async with asyncio.timeout(120):
        await both.wait()
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def test_a_claim_announced_by_one_attempt_is_not_allowed_again_by_its_end(
    slots: Slots,
) -> None:
    """Else two jobs would wait for the device."""
    async with slots.device(CancelToken()) as device:
        device.allow_claim_in(0)
        await slots.may_claim()
        slots.claimed()

    assert not await may_claim(slots)


async def test_a_later_prediction_replaces_an_earlier_one(slots: Slots) -> None:
    async with slots.device(CancelToken()) as device:
        device.allow_claim_in(3600)
        device.allow_claim_in(0)
        async with asyncio.timeout(120):
            await slots.may_claim()


async def test_a_cancel_ends_the_wait_and_leaves_the_device_to_who_has_it(slots: Slots) -> None:
    cancel = CancelToken()
    async with slots.device(CancelToken()):
        slots.claimed()
        asyncio.get_running_loop().call_soon(cancel.cancel)
        async with asyncio.timeout(120), slots.device(cancel):
            assert cancel.cancelled
            assert not await may_claim(slots)  # before it is settled
        assert await may_claim(slots)
        assert not slots.device_free


async def test_an_executor_that_does_not_stop_has_the_device_until_it_returns(
    slots: Slots,
) -> None:
    deaf = asyncio.Event()
    run = asyncio.create_task(deaf.wait())
    async with slots.device(CancelToken()) as device:
        device.release_after(run)
        device.allow_claim_in(0)
    assert not slots.device_free
    assert not await may_claim(slots)

    deaf.set()
    await run
    await asyncio.sleep(0)
    assert slots.device_free
    assert await may_claim(slots)


async def test_a_stop_wakes_the_claim_loop(slots: Slots) -> None:
    slots.stop()

    assert await may_claim(slots)


async def test_one_clip_at_a_time_is_in_the_encoder(slots: Slots) -> None:
    async with slots.encoder:
        assert slots.encoder.locked()

    assert not slots.encoder.locked()
