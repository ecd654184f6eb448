"""One front looks for jobs whose node is gone; another goes on with it when that one ends."""

from collections import Counter
from contextlib import AsyncExitStack

import pytest

from core.domain.jobs import JobState, ReplyTo
from core.domain.people import Requester
from core.queue.job_queue import JobQueue, NewJob, QueueRules
from core.testing.doubles import t2v

pytestmark = pytest.mark.postgres


def count_looks(core, name, looks):
    """Count how often ``core`` looks for lapsed leases."""
    sweep, look = core.membership.sweep, core.membership.sweep.look

    async def counted():
        looks[name] += 1
        return await look()

    sweep.look = counted


async def lose_one(core, until, job_id):
    """Claim the job with a lease that is over at once, and wait until it is in line again."""
    queue = JobQueue(core.database, QueueRules(lease_ms=-1), core.settings.data_dir)
    claimed = await queue.claim(ahead=True)
    assert claimed.id == job_id

    async def in_line():
        return (await core.jobs.get(job_id)).state is JobState.QUEUED

    await until(in_line)


async def test_one_front_takes_back_lost_jobs_and_another_goes_on_when_it_ends(open_front, until):
    looks: Counter[str] = Counter()
    async with AsyncExitStack() as life_of_first:
        first = await life_of_first.enter_async_context(open_front())
        count_looks(first, "first", looks)
        new = NewJob("1" * 32, Requester("test", "ann"), t2v(), ReplyTo("test"), 1000, "one")
        async with open_front() as second:
            count_looks(second, "second", looks)
            await second.queue.submit(new)
            await lose_one(second, until, new.id)

            async def looked_again(before=looks["first"]):
                return looks["first"] > before + 1

            await until(looked_again)  # twice in the time that another would need for one
            assert looks["second"] == 0

            await life_of_first.aclose()
            seen = looks["first"]
            await lose_one(second, until, new.id)

            async def second_looks():
                return looks["second"] > 0

            await until(second_looks)
            assert looks["first"] == seen
