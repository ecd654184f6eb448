"""Loaded models go first where that is fair, and nobody pays for it for long."""

from dataclasses import replace

import pytest

from core.accounts.quotas import QuotaRules
from core.domain.jobs import Job
from core.queue.model_affinity import AffinityRules, Candidate, choose, preference
from core.queue.transitions import RequeueReason
from core.storage import jobs as rows
from core.testing.doubles import QuickExecutor, t2v

SECOND = 1000


class Loaded(QuickExecutor):
    """An executor with one model set for each mode."""

    resident: str | None = None

    def model_set(self, request):
        return request.mode.value


def line(*ranks: int) -> list[Candidate]:
    return [Candidate(rank) for rank in ranks]


def test_the_first_that_fits_goes_first_among_equals():
    rules = AffinityRules()

    assert choose(rules, line(0, 10, 20), lambda index: index == 2, 0) == 2
    assert choose(rules, line(0, 10, 20), lambda index: False, 0) == 0


def test_what_is_due_much_later_does_not_overtake():
    rules = AffinityRules(slack_ms=30 * SECOND)

    assert choose(rules, line(0, 31 * SECOND), lambda index: index == 1, 0) == 0


@pytest.mark.parametrize(("overtaken", "chosen"), [(2, 1), (3, 0)])
def test_nobody_is_overtaken_more_than_three_times(overtaken, chosen):
    due = [Candidate(0, overtaken, 0), Candidate(1)]

    assert choose(AffinityRules(skips=3), due, lambda index: index == 1, 0) == chosen


@pytest.mark.parametrize(("now", "chosen"), [(59, 1), (60, 0)])
def test_nobody_is_overtaken_for_more_than_a_minute(now, chosen):
    due = [Candidate(0, 1, 0), Candidate(1)]
    rules = AffinityRules(skips=100, wait_ms=60 * SECOND)

    assert choose(rules, due, lambda index: index == 1, now * SECOND) == chosen


def test_a_job_in_the_middle_that_waited_enough_is_not_overtaken_from_behind():
    due = [Candidate(0), Candidate(1, 1, 0), Candidate(2)]

    assert choose(AffinityRules(skips=1), due, lambda index: index == 2, 0) == 0


def test_an_executor_without_loaded_models_has_no_preference():
    assert preference(QuickExecutor()) is None
    assert preference(Loaded()) is None


async def _submit(room, user: str, prompt: str) -> Job:
    return (await room.queue.submit(replace(room.new(user), request=t2v(prompt)))).job


def warm(request) -> bool:
    return request.prompt == "warm"


async def test_rows_of_loaded_models_are_claimed_first_and_the_others_soon(room):
    room.limit(max_queued=30, quota=QuotaRules(limit_ms=10**9))
    queue = room.queue
    cold = await _submit(room, "anna", "cold")
    for user in ("ben", "cem", "dee", "eve"):
        await _submit(room, user, "warm")
    order = []
    while (job := await queue.claim(warm)) is not None:
        order.append(job.request.prompt)
        await room.finish(job)

    assert order == ["warm", "warm", "warm", "cold", "warm"]
    assert cold.state.waiting


async def test_several_workers_together_overtake_nobody_more_often_than_one(room):
    room.limit(max_queued=30, quota=QuotaRules(limit_ms=10**9))
    cold = await _submit(room, "anna", "cold")
    for user in ("ben", "cem", "dee", "eve"):
        await _submit(room, user, "warm")

    claimed = [await room.queue.claim(warm) for _ in range(4)]  # each by a queue of its own

    assert [job.request.prompt for job in claimed] == ["warm", "warm", "warm", "cold"]
    assert claimed[3].id == cold.id


async def test_job_that_comes_back_may_be_overtaken_anew(room):
    cold = await _submit(room, "anna", "cold")
    await _submit(room, "ben", "warm")
    await room.queue.claim(warm)
    lost = await room.queue.claim(warm)
    assert lost.id == cold.id
    await room.queue.requeue(lost.id, lost.token, RequeueReason.STOPPED)

    async with room.database.snapshot() as connection:
        row = await rows.require(connection, cold.id)

    assert (row.overtaken, row.overtaken_since_ms) == (0, None)


async def test_a_claim_looks_at_32_jobs_at_most(room):
    room.limit(max_queued=40, quota=QuotaRules(limit_ms=10**9))
    for number in range(33):
        await _submit(room, f"u{number}", "warm" if number == 32 else "cold")

    job = await room.queue.claim(warm)

    assert job.request.prompt == "cold"


@pytest.mark.parametrize("preferring", [True, False])
async def test_an_account_at_its_limit_does_not_profit_from_loaded_models(room, preferring):
    for _ in range(2):
        await _submit(room, "anna", "warm")
    await _submit(room, "ben", "cold")
    queue = room.queue
    await queue.claim()

    job = await queue.claim(warm if preferring else None)

    assert job.requester.user_id == "ben"


async def test_what_comes_next_is_shown_without_starting_it(room):
    assert await room.queue.next_up() is None
    job = await room.submit("anna")

    assert (await room.queue.next_up()).id == job.id
    assert (await room.jobs.get(job.id)).state.waiting
