"""What a Prometheus server reads of the pools of devices."""

from dataclasses import replace

import pytest

from core.app.bootstrap import open_core
from core.app.metrics import collect
from core.app.scaling_metrics import PoolFigures
from core.domain.nodes import ClusterNode, NodeDevice, NodeRole, NodeState, new_node_id
from core.domain.scaling import ScalingRules
from core.interfaces.terms import OwnTerm
from core.storage import nodes as rows
from core.testing.doubles import eventually, running

RULES = ScalingRules(target_wait_s=60, floor=0, ceiling=4)
SILENCE_MS = 30_000


def node(clock, **changes):
    plain = ClusterNode(
        id=new_node_id(),
        name="attic",
        role=NodeRole.WORKER,
        pool="default",
        device=NodeDevice("NVIDIA H100", "fp8"),
        version="1",
        schema=14,
        format=1,
        state=NodeState.READY,
        started_at_ms=clock(),
        beat_at_ms=clock(),
    )
    return replace(plain, **changes)


@pytest.fixture
def live(room):
    async def live(**changes):
        async with room.database.transaction() as connection:
            await rows.register(connection, node(room.clock, **changes))

    return live


@pytest.fixture
def figures(room):
    return PoolFigures(room.database, RULES, room.clock, SILENCE_MS)


async def read(figures):
    return {
        " ".join([sample.name.removeprefix("clapper_"), *sample.labels.values()]): sample.value
        for family in (await figures.read()).collect()
        for sample in family.samples
    }


async def test_nothing_is_told_of_pools_that_nobody_knows(figures):
    assert await read(figures) == {}


async def test_a_pool_tells_its_line_its_workers_and_how_many_it_wants(room, live, figures):
    await live()
    await live(state=NodeState.DRAINING)
    await live(role=NodeRole.FRONT)
    await room.submit("anna", estimate_ms=100_000)
    room.clock.forward(7)
    await room.submit("ben", estimate_ms=50_000)

    assert await read(figures) == {
        "backlog_gpu_seconds default": 150,
        "oldest_wait_seconds default": 7,
        "workers default ready": 1,
        "workers default draining": 1,
        "wanted_workers default": 3,
    }


async def test_a_silent_worker_is_not_counted_and_its_pool_still_told(room, live, figures):
    await live()
    await read(figures)
    room.clock.forward(SILENCE_MS / 1000)

    assert await read(figures) == {
        "backlog_gpu_seconds default": 0,
        "oldest_wait_seconds default": 0,
        "wanted_workers default": 0,
    }


async def test_a_pool_with_a_line_and_no_worker_wants_some(room, figures):
    await room.submit("anna", estimate_ms=61_000)

    assert (await read(figures))["wanted_workers default"] == 2


async def test_who_begins_to_look_sends_no_worker_away(live, figures):
    for _ in range(3):
        await live()

    assert (await read(figures))["wanted_workers default"] == 3


async def test_only_who_does_the_chores_tells(figures, room, live):
    await room.submit("anna", estimate_ms=240_000)
    assert not figures.tells
    with figures.telling(OwnTerm()):
        assert figures.tells
        await read(figures)
    assert not figures.tells

    with figures.telling(OwnTerm()):
        await room.finish(await room.start(), 10)
        assert await read(figures) == {}, "what the time before wanted is forgotten"


async def test_front_tells_of_the_pools_at_a_server_and_one_process_alone_does_not(
    settings, executor
):
    async with open_core(settings, executor) as core, running(core):
        await eventually(lambda: told(core))
        page = (await collect(core)).decode()

    assert ("clapper_wanted_workers" in page) == core.membership.deployment.shares_rows


async def told(core):
    return core.pool_figures._term is not None
