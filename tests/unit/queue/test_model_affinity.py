"""Loaded models go first where that is fair, and nobody pays for it for long."""

from dataclasses import replace

import pytest

from core.accounts.quotas import QuotaRules
from core.domain.jobs import Job
from core.queue.model_affinity import Affinity, AffinityRules, Candidate, preference
from core.testing.doubles import QuickExecutor, t2v

SECOND = 1000


class Loaded(QuickExecutor):
    """An executor with one model set for each mode."""

    resident: str | None = None

    def model_set(self, request):
        return request.mode.value


def line(*ranks: int) -> list[Candidate]:
    return [Candidate(str(number), rank) for number, rank in enumerate(ranks)]


def test_the_first_that_fits_goes_first_among_equals():
    affinity = Affinity(AffinityRules())

    assert affinity.choose(line(0, 10, 20), lambda index: index == 2, 0) == 2
    assert affinity.choose(line(0, 10, 20), lambda index: False, 0) == 0


def test_what_is_due_much_later_does_not_overtake():
    affinity = Affinity(AffinityRules(slack_ms=30 * SECOND))

    assert affinity.choose(line(0, 31 * SECOND), lambda index: index == 1, 0) == 0


def test_nobody_is_overtaken_more_than_three_times():
    affinity = Affinity(AffinityRules(skips=3))

    chosen = [affinity.choose(line(0, 1), lambda index: index == 1, now) for now in range(5)]

    assert chosen == [1, 1, 1, 0, 1]


def test_nobody_is_overtaken_for_more_than_a_minute():
    affinity = Affinity(AffinityRules(skips=100, wait_ms=60 * SECOND))

    chosen = [
        affinity.choose(line(0, 1), lambda index: index == 1, now * SECOND) for now in (0, 59, 60)
    ]

    assert chosen == [1, 1, 0]


def test_a_job_in_the_middle_that_waited_enough_is_not_overtaken_from_behind():
    affinity = Affinity(AffinityRules(skips=1))
    affinity.choose(line(0, 1, 2), lambda index: index == 2, 0)

    assert affinity.choose(line(0, 1, 2), lambda index: index == 2, 0) == 0


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
