"""A move of a job is a few statements, however many wait: everybody else waits for them."""

import asyncio

import pytest
from sqlalchemy import event

from core.domain.jobs import Failure
from core.errors import Cancelled

MOST = {"postgresql": 3, "sqlite": 9}  # of one move


@pytest.fixture
def asked(room):
    """The statements since it was cleared, without those that begin and end transactions."""
    said = []
    engine = room.database.engine.sync_engine

    def note(*call):
        if "advisory" not in call[2] and not call[2].startswith(("BEGIN", "COMMIT")):
            said.append(call[2])

    event.listen(engine, "before_cursor_execute", note)
    return said


async def counted(asked, move):
    asked.clear()
    await move
    return len(asked)


async def test_moves_take_few_statements_however_many_jobs_wait(room, asked):
    room.limit(max_queued=100)
    most = MOST[room.database.engine.dialect.name]
    for user in ("anna", "ben"):
        for _ in range(8):
            await room.submit(user)

    assert await counted(asked, room.queue.claim()) <= most
    by_models = room.queue.claim(lambda _: len(asked) > 1)  # none is loaded at first: one waits
    assert await counted(asked, by_models) <= most
    first, second, *_ = await room.jobs.in_order()
    made = room.queue.settle(first.id, first.token, room.clip(first.id), 900)
    assert await counted(asked, made) <= most
    ended = room.queue.fail(second.id, second.token, Failure.of(Cancelled("owner")), 100)
    assert await counted(asked, ended) <= most
    again = await room.start()
    assert await counted(asked, room.queue.requeue(again.id, again.token)) <= most
    assert await room.violations() == []


async def test_that_an_attempt_has_the_device_needs_no_turn(room):
    await room.submit()
    job = await room.queue.claim(ahead=True)
    if room.database.engine.dialect.name == "postgresql":  # a file has one connection for all
        async with room.database.transaction(), asyncio.timeout(10):
            assert await room.queue.begin(job.id, job.token) == room.clock()
    else:
        assert await room.queue.begin(job.id, job.token) == room.clock()
    assert (await room.jobs.get(job.id)).started_at_ms == room.clock()
    assert [one.detail for one in await room.jobs.history(job.id)][-1] == "has the device"


async def test_device_is_not_noted_for_an_attempt_that_lost_its_job(room):
    await room.submit()
    job = await room.queue.claim(ahead=True)
    await room.queue.requeue(job.id, job.token)
    before = await room.jobs.history(job.id)

    assert await room.queue.begin(job.id, job.token) is None
    assert await room.jobs.history(job.id) == before
