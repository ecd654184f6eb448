"""Several nodes at one queue: whose line is whose, and what a start takes."""

from dataclasses import replace

import pytest

from core.domain.fairness import FairRules
from core.domain.jobs import JobState
from core.domain.nodes import NodeState
from core.domain.requests import FORMAT
from core.queue.abandoned import AbandonedByNodes
from core.queue.claims import Claimant
from core.queue.forecasts import Forecasts
from core.queue.job_queue import JobQueue
from core.queue.recovery import Recovery, Sweep
from core.storage import jobs as rows
from core.storage.due_jobs import Lines
from core.storage.nodes import register
from tests.unit.nodes.test_registered_node import node


def queue_of(room, node_id="n", pool="default", **more) -> JobQueue:
    lines = Lines(pool, more.pop("not_from", ()), more.pop("format", FORMAT))
    claimant = Claimant(node_id, lines, **more)
    return JobQueue(
        room.database, room.rules, room.folder / "clips", room.clock, claimant=lambda: claimant
    )


def recovery_of(room, before=None, *, others_serve=True) -> Recovery:
    return Recovery(
        room.database,
        room.rules,
        room.folder / "clips",
        room.clock,
        abandoned=AbandonedByNodes(before, lambda: others_serve),
    )


async def submit(room, user, pool):
    return (await room.queue.submit(replace(room.new(user), pool=pool))).job


async def row_of(room, job_id):
    async with room.database.snapshot() as connection:
        return await rows.require(connection, job_id)


async def end_node(room, node_id, state):
    async with room.database.transaction() as connection:
        await register(connection, node(room.clock, id=node_id, state=state))


async def test_claim_writes_who_runs_it_and_whose_line_it_came_from(room):
    job = await submit(room, "anna", "large")

    claimed = await queue_of(room, "attic", "large").claim()

    row = await row_of(room, job.id)
    assert (claimed.id, row.node_id, row.pool) == (job.id, "attic", "large")


async def test_worker_takes_from_its_own_line_first_whoever_waits_longer(room):
    small = await submit(room, "anna", "small")
    room.clock.forward(60)
    large = await submit(room, "ben", "large")
    queue = queue_of(room, pool="large")

    assert [(await queue.claim()).id for _ in range(2)] == [large.id, small.id]


async def test_job_goes_to_no_pool_whose_devices_do_not_fit_it(room):
    await submit(room, "anna", "large")
    queue = queue_of(room, pool="small", not_from=("large",))

    assert await queue.claim() is None
    assert await queue.next_up() is None


async def test_job_of_a_pool_that_nobody_knows_is_anybodys(room):
    job = await submit(room, "anna", "of a year ago")

    assert (await queue_of(room, pool="small", not_from=("large",)).claim()).id == job.id


async def test_request_that_this_node_cannot_read_stays_in_line(room):
    job = await room.submit("anna")

    assert await queue_of(room, format=FORMAT - 1).claim() is None
    assert (await room.jobs.get(job.id)).state.waiting
    assert (await queue_of(room).claim()).id == job.id


async def test_node_that_is_to_take_no_more_claims_nothing(room):
    await room.submit("anna")

    assert await queue_of(room, takes=False).claim() is None
    assert await queue_of(room, takes=False).next_up() is None


@pytest.mark.parametrize(("devices", "second"), [(1, True), (2, False)])
async def test_account_has_more_than_its_share_only_where_one_device_would_stand_still(
    room, devices, second
):
    room.limit(fair=FairRules(max_running=1, relax=True))
    for _ in range(2):
        await room.submit("anna")
    queue = queue_of(room, devices=devices)
    await queue.claim()

    assert (await queue.claim() is not None) is second


async def test_start_takes_nothing_from_the_living(room):
    await room.submit("anna")
    running = await queue_of(room, "alive").claim()
    room.clock.forward(29)

    report = await recovery_of(room, before="somebody else").recover()

    assert (report.requeued, report.lost) == (0, 0)
    row = await row_of(room, running.id)
    assert (row.token, row.state) == (running.token, JobState.RUNNING)


async def test_start_in_the_directory_of_a_dead_node_takes_its_jobs_at_once(room):
    for user in ("anna", "ben"):
        await room.submit(user)
    mine = await queue_of(room, "before").claim()
    theirs = await queue_of(room, "other").claim()

    report = await recovery_of(room, before="before").recover()

    assert report.requeued == 1
    assert (await row_of(room, mine.id)).losses == 1
    assert (await row_of(room, theirs.id)).state is JobState.RUNNING


@pytest.mark.parametrize(
    ("state", "losses"),
    [(NodeState.READY, 1), (NodeState.DRAINING, 1), (NodeState.ENDING, 0), (NodeState.GONE, 0)],
)
async def test_job_is_not_to_blame_where_its_node_said_that_it_ends(room, state, losses):
    await room.submit("anna")
    job = await queue_of(room, "n").claim()
    await end_node(room, "n", state)
    room.clock.forward(31)

    assert await recovery_of(room).sweep() == Sweep(1)
    row = await row_of(room, job.id)
    assert (row.state, row.losses) == (JobState.QUEUED, losses)


async def test_sweep_leaves_kept_leases_alone(room):
    await room.submit("anna")
    queue = queue_of(room)
    job = await queue.claim()
    room.clock.forward(29)
    await queue.beat(job.id, job.token)
    room.clock.forward(29)

    assert await recovery_of(room).sweep() == Sweep()
    assert await queue.beat(job.id, job.token)


async def test_attempt_that_never_had_the_device_is_not_counted(room):
    await room.submit("anna")
    job = await queue_of(room).claim(ahead=True)
    room.clock.forward(31)

    await recovery_of(room).sweep()

    row = await row_of(room, job.id)
    assert (row.attempt, row.losses) == (0, 0)


async def test_job_that_killed_too_many_nodes_fails_and_is_refunded(room):
    job = await room.submit("anna", estimate_ms=5000)
    ended = ()
    for number in range(room.rules.max_attempts):
        assert await queue_of(room, f"n{number}").claim() is not None
        room.clock.forward(31)
        ended = (await recovery_of(room).sweep()).ended

    assert ended == (job.id,)
    found = await room.jobs.get(job.id)
    assert (found.state, found.failure.code) == (JobState.FAILED, "worker_lost")
    assert (await room.quotas.quota(job.requester)).used_ms == 0


async def test_late_outcome_of_a_worker_that_was_taken_for_dead_changes_nothing(room):
    await room.submit("anna")
    zombie = queue_of(room, "zombie")
    job = await zombie.claim()
    room.clock.forward(31)
    await recovery_of(room).sweep()
    again = await queue_of(room, "other").claim()

    assert not await zombie.settle(job.id, job.token, room.clip(job.id), 10)
    assert not await zombie.requeue(job.id, job.token)
    assert (await row_of(room, again.id)).token == again.token


@pytest.mark.parametrize(("others_serve", "intake"), [(True, "draining"), (False, "open")])
async def test_drain_of_the_intake_ends_with_the_start_of_the_only_front(
    room, others_serve, intake
):
    await room.intake.set_intake("draining")

    await recovery_of(room, others_serve=others_serve).recover()

    assert await room.intake.intake() == intake


async def test_forecast_counts_who_waits_for_the_same_pool_and_its_devices(room):
    for number in range(4):
        await submit(room, f"s{number}", "small")
    mine = await submit(room, "anna", "large")
    slots = {"small": 4, "large": 2}
    forecasts = Forecasts(
        room.database, room.rules, room.folder / "clips", room.clock, slots.__getitem__
    )

    assert (await forecasts.forecast(mine.id)).position == 1
    standing = await forecasts.standing(mine.requester)
    assert forecasts.of_standing(standing)[mine.id].position == 1
    slots["large"] = 1
    assert (await forecasts.forecast(mine.id)).position == 1
