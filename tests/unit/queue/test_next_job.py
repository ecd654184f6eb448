"""Jobs that are claimed before the device is free: theirs, but neither begun nor paid."""

import pytest

from core.domain.jobs import JobState
from core.domain.people import Requester

ANNA = Requester("discord", "anna")


async def claim_ahead(room):
    await room.submit("anna", 60_000)
    job = await room.queue.claim(ahead=True)
    room.clock.forward(20)
    return job


async def test_it_runs_for_one_token_and_has_not_started(room):
    job = await claim_ahead(room)

    assert (job.state, job.attempt, job.started_at_ms) == (JobState.RUNNING, 1, None)
    assert await room.queue.beat(job.id, job.token)
    assert await room.queue.claim() is None


async def test_a_cancel_before_it_begins_costs_nothing(room):
    job = await claim_ahead(room)

    cancelled = await room.queue.cancel(job.id, ANNA)

    view = await room.quotas.quota(ANNA)
    assert (cancelled.charged_ms, view.used_ms, view.reserved_ms) == (0, 0, 0)
    assert await room.queue.begin(job.id, job.token) is None


async def test_a_cancel_costs_the_time_since_it_began(room):
    job = await claim_ahead(room)

    began = await room.queue.begin(job.id, job.token)
    room.clock.forward(7)
    cancelled = await room.queue.cancel(job.id, ANNA)

    assert (cancelled.started_at_ms, cancelled.charged_ms) == (began, 7000)


@pytest.mark.parametrize("times", [1, 5])
async def test_a_crash_before_it_begins_counts_no_attempt(room, times):
    """However often: three attempts of a job are three on the device."""
    await room.submit()
    for _ in range(times):
        job = await room.queue.claim(ahead=True)
        recovery = await room.recovery.recover()
        assert (recovery.requeued, recovery.lost, recovery.violations) == (1, 0, ())

    again = await room.queue.claim()

    assert (again.id, again.attempt) == (job.id, 1)
    assert again.token != job.token


async def test_a_crash_after_it_began_counts(room):
    job = await claim_ahead(room)
    await room.queue.begin(job.id, job.token)

    await room.recovery.recover()

    assert (await room.queue.claim()).attempt == 2


async def test_a_second_try_claimed_ahead_has_not_started_either(room):
    """The first one's start is no measure of what the second one had."""
    await room.submit()
    first = await room.start()
    await room.queue.requeue(first.id, first.token)
    room.clock.forward(100)

    second = await room.queue.claim(ahead=True)

    assert (second.attempt, second.started_at_ms) == (2, None)
    assert (await room.queue.cancel(second.id, ANNA)).charged_ms == 0


async def test_the_rest_of_it_is_all_of_it_while_it_has_not_begun(room):
    job = await claim_ahead(room)

    forecast = await room.forecasts.forecast(job.id)

    assert (forecast.position, forecast.ready_in_s) == (0, 60)


async def test_an_account_at_its_limit_stays_behind_others(room):
    await room.submit("anna")
    await room.submit("anna")
    await room.start()
    ben = await room.submit("ben")

    assert (await room.queue.claim(ahead=True)).id == ben.id
