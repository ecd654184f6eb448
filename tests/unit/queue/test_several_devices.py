"""Forecasts and turns where several devices work on one queue."""

from typing import Any

import pytest

from core.domain.fairness import FairRules, JobLoad, WorkAhead, forecast

SECOND = 1000


@pytest.fixture
def three(room: Any) -> Any:
    room.limit(slots=3, fair=FairRules(relax=False))
    return room


async def test_a_job_that_finds_a_free_device_is_ready_after_its_own_time(three: Any) -> None:
    await three.submit("anna", 50 * SECOND)
    await three.start()
    waiting = await three.submit("ben", 10 * SECOND)

    expected = await three.forecasts.forecast(waiting.id)

    assert expected is not None
    assert expected.ready_in_s == 10


async def test_who_waits_gets_the_first_device_that_is_free(three: Any) -> None:
    for user, seconds in (("anna", 50), ("ben", 20), ("cem", 90)):
        await three.submit(user, seconds * SECOND)
        await three.start()
    waiting = await three.submit("dee", 10 * SECOND)

    expected = await three.forecasts.forecast(waiting.id)

    assert expected is not None
    assert expected.position == 1
    assert expected.ready_in_s == 30


async def test_the_line_is_spread_over_all_devices(three: Any) -> None:
    for user in ("anna", "ben", "cem"):
        await three.submit(user, 60 * SECOND)
        await three.start()
    for user in ("dee", "eva", "fay"):
        await three.submit(user, 60 * SECOND)
    last = await three.submit("gil", 60 * SECOND)

    expected = await three.forecasts.forecast(last.id)

    assert expected is not None
    assert expected.position == 4
    assert expected.ready_in_s == 180


async def test_the_jobs_of_one_account_follow_each_other_however_many_devices_are_free(
    three: Any,
) -> None:
    jobs = [await three.submit("anna", 30 * SECOND) for _ in range(3)]
    await three.start()

    forecasts = [await three.forecasts.forecast(job.id) for job in jobs]
    standing = await three.forecasts.standing(jobs[0].requester)

    assert [one.ready_in_s for one in forecasts] == [30, 60, 90]
    shown = three.forecasts.of_standing(standing)
    assert [shown[job.id].ready_in_s for job in jobs] == [30, 60, 90]
    assert await three.queue.claim() is None  # although two devices are free


@pytest.mark.parametrize(("running", "ahead"), [(0, 0), (1, 0), (2, 0), (1, 3), (0, 2)])
def test_one_device_works_on_one_job_after_the_other(running: int, ahead: int) -> None:
    loads = [JobLoad(20 * SECOND, 0)] * running
    expected = forecast(JobLoad(5 * SECOND, 0), WorkAhead(ahead, ahead * SECOND, 0.0), loads, 1)

    assert expected.ready_in_s == 20 * running + ahead + 5
