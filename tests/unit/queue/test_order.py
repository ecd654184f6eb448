"""The line in SQL: the same as in memory, quick however long it is, fair between people."""

import asyncio
from dataclasses import replace
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select

from core.accounts.community import Community
from core.accounts.quotas import QuotaRules
from core.domain.jobs import JobState
from core.domain.people import Requester
from core.queue.job_queue import QueueRules
from core.storage import job_moves
from core.storage import jobs as rows
from core.storage.database import open_database
from core.storage.due_jobs import DueJob
from core.storage.tables import flow, job
from core.testing.doubles import ManualClock
from core.testing.fair_queue import FairQueue
from tests.support.plans import tables_read_whole

ANNA = Requester("discord", "anna")
BEN = Requester("discord", "ben")
MINUTE = 60_000

STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("add"), st.sampled_from("abc"), st.integers(1, 9), st.sampled_from([50, 100])
        ),
        st.tuples(st.just("start")),
        st.tuples(st.just("end"), st.integers(0, 3), st.integers(0, 20)),
        st.tuples(st.just("cancel"), st.integers(0, 9)),
        st.tuples(st.just("pass"), st.integers(1, 500)),
    ),
    max_size=40,
)


async def replay_steps(steps, make_room, quick_folder, new_database):
    clock = ManualClock()
    rules = QueueRules(max_queued=100, quota=QuotaRules(limit_ms=10**9))
    line = FairQueue(rules.fair)
    with quick_folder() as name:
        folder = Path(name)
        async with open_database(new_database(folder), folder, clock) as database:
            room = make_room(database, folder, clock, rules)
            await walk(room, line, steps)


async def walk(room, line, steps):
    started = []
    for step in steps:
        match step:
            case ("add", user, seconds, weight):
                new = replace(room.new(user, seconds * 1000), weight=weight)
                await room.queue.submit(new)
                line.add(new.id, new.requester.key, new.estimate_ms, room.clock(), weight)
            case ("start",):
                job, entry = await room.queue.claim(), line.start(room.clock())
                assert (job and job.id) == (entry and entry.name)
                started += [(job, entry)] if job else []
            case ("end", index, seconds) if started:
                job, entry = started.pop(index % len(started))
                await room.finish(job, seconds * 1000)
                line.end(entry, seconds * 1000)
            case ("cancel", index):
                waiting = line.order()
                if waiting:
                    chosen = waiting[index % len(waiting)]
                    requester = Requester.from_key(chosen.account)
                    await room.queue.cancel(chosen.name, requester)
                    line.cancel(chosen.name)
            case ("pass", seconds):
                room.clock.forward(seconds)
            case _:
                pass
        waiting = [job.id for job in await room.jobs.in_order() if job.state.waiting]
        assert waiting == [entry.name for entry in line.order()]
    assert await room.violations() == []


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_rows_and_memory_agree_on_the_order(make_room, quick_folder, new_database, steps):
    asyncio.run(replay_steps(steps, make_room, quick_folder, new_database))


@pytest.mark.parametrize("single_ms", [MINUTE // 6, MINUTE, 10 * MINUTE])
async def test_a_flood_of_thirty_delays_a_single_job_by_at_most_the_running_one(room, single_ms):
    room.limit(max_queued=30, quota=QuotaRules(limit_ms=10**9))
    for _ in range(30):
        await room.submit("anna", MINUTE)
    for _ in range(3):
        room.clock.forward(60)
        await room.finish(await room.start())
    running = await room.start()
    room.clock.forward(40)
    single = await room.submit("ben", single_ms)

    found = await room.forecasts.forecast(single.id)
    await room.finish(running)
    next_up = await room.start()

    assert next_up.id == single.id
    assert (found.position, found.ready_in_s) == (1, 20 + single_ms / 1000)


async def test_a_flood_does_not_profit_from_failures_or_long_runs(room):
    room.limit(max_queued=30, quota=QuotaRules(limit_ms=10**9))
    for _ in range(30):
        await room.submit("anna", 1000)
    running = await room.start()
    room.clock.forward(600)
    single = await room.submit("ben", 1000)
    await room.finish(running, 600_000)

    assert (await room.start()).id == single.id


async def test_one_account_alone_may_use_a_free_device_beyond_its_limit(room):
    await room.submit("anna")
    await room.submit("anna")
    first, second = await room.start(), await room.start()

    assert first.requester == second.requester
    assert await room.violations() == []


async def test_an_account_at_its_limit_lets_others_go_first(room):
    await room.submit("anna", 1000)
    await room.submit("anna", 1000)
    await room.submit("ben", 900_000)
    first, second = await room.start(), await room.start()

    assert (first.requester, second.requester) == (ANNA, BEN)


async def test_forecasts_say_when_each_job_of_the_line_ends(room):
    await room.submit("anna", 10_000)
    running = await room.start()
    for user, estimate in (("anna", 20_000), ("ben", 5_000), ("cora", 7_000), ("anna", 1_000)):
        await room.submit(user, estimate)
    room.clock.forward(4)
    line = [job for job in await room.jobs.in_order() if job.state is JobState.HELD]

    forecasts = [await room.forecasts.forecast(job.id) for job in line]

    ends = [*accumulate((job.estimate_ms for job in line), initial=6_000)][1:]
    assert [found.position for found in forecasts] == [1, 2, 3, 4]
    assert [found.ready_in_s * 1000 for found in forecasts] == ends
    assert all(found.ready_in_p95_s > found.ready_in_s for found in forecasts)
    own = await room.forecasts.forecast(running.id)
    assert (own.position, own.ready_in_s) == (0, 6.0)


async def test_a_terminal_job_has_no_forecast(room):
    job = await room.submit()
    await room.queue.cancel(job.id, ANNA)

    assert await room.forecasts.forecast(job.id) is None


async def test_line_shows_running_jobs_first_and_can_be_cut(room):
    for user in ("anna", "ben", "cora"):
        await room.submit(user)
    running = await room.start()

    line = await room.jobs.in_order(1)

    assert [job.state for job in line] == [JobState.RUNNING, JobState.HELD]
    assert line[0] == running
    assert (await room.jobs.counts()).waiting == 2
    assert [job.id for job in await room.jobs.live_of(ANNA)] == [running.id]


async def test_a_standing_says_the_same_as_every_single_question(room):
    for user in ("anna", "ben", "anna", "cora", "anna"):
        await room.submit(user, 10_000)
    await room.start()
    standing = await room.forecasts.standing(ANNA)
    room.clock.forward(4)

    assert list(standing.jobs) == await room.jobs.live_of(ANNA)
    assert standing.counts == await room.jobs.counts()
    assert standing.quota == await room.quotas.quota(ANNA)
    assert len(standing.jobs) == 3
    for mine in standing.jobs:
        assert standing.queue.forecast(mine.id, room.clock()) == await room.forecasts.forecast(
            mine.id
        )
    assert standing.queue.forecast("another", room.clock()) is None


async def test_a_standing_is_that_of_the_account_that_somebody_joined(room):
    await room.submit("anna")
    community = Community.on(room.database, room.clock, frozenset())
    guest = Requester("studio", "guest")
    await community.accounts.link(guest, await community.accounts.link_code(ANNA))

    standing = await room.forecasts.standing(guest)

    assert standing.account == ANNA
    assert [job.requester for job in standing.jobs] == [ANNA]


async def ask_everything(room):
    """Use every method that must stay quick."""
    queue, outbox = room.queue, room.outbox
    jobs = [await room.submit("anna") for _ in range(4)]
    last = jobs[-1]
    await queue.submit(room.new("anna", key=last.id))
    first = await room.start()
    await queue.beat(first.id, first.token)
    await room.forecasts.forecast(last.id)
    await room.jobs.in_order(5)
    await room.jobs.counts()
    await room.jobs.live_of(ANNA)
    await room.forecasts.standing(ANNA)
    await room.jobs.jobs_of(ANNA, 5, room.clock())
    await room.quotas.quota(ANNA)
    await queue.requeue(first.id, first.token)
    await room.finish(await room.start())
    await queue.cancel(last.id, ANNA)
    await outbox.due("discord")
    claim = await outbox.begin(last.id)
    await outbox.retry(claim, 5, "busy", ambiguous=False)
    await room.recovery.expire()
    await room.jobs.needs_media("a.png")
    await queue.prune(room.clock())
    await queue.erase(last.id, ANNA)


async def test_no_question_to_the_queue_scans_a_table(room):
    asked = []
    engine = room.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *call: asked.append((call[2], call[3])))
    await ask_everything(room)

    asked = [one for one in asked if "advisory" not in one[0]]
    questions = [one for one in asked if one[0].startswith(("SELECT", "UPDATE", "DELETE", "WITH"))]
    assert len(questions) > 50
    async with room.database.transaction() as connection:
        for question, values in questions:
            assert await tables_read_whole(connection, question, values) <= {"sched"}, question


async def test_a_job_preferred_to_an_older_one_of_its_account_costs_the_account_the_same(room):
    first, second = await room.submit("anna", 10_000), await room.submit("anna", 1_000)
    await room.submit("ben", 5_000)
    await room.submit("ben", 5_000)
    async with room.database.transaction() as connection:
        row = await rows.read(connection, second.id)
        attempt = job_moves.NewAttempt("token", room.clock() + 1, has_device=True)
        due = DueJob(row, start=0)
        await job_moves.start(connection, due, attempt, room.clock(), above_limit=False)
        found = await connection.execute(select(job.c.id, job.c.tag))
        tags = {row.id: row.tag for row in found}
        finish = await connection.scalar(select(flow.c.finish).where(flow.c.user_key == ANNA.key))

    assert (tags[second.id], tags[first.id], finish) == (0, 1_000, 1_000)
