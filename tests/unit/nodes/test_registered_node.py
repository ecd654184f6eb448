"""A node tells that it lives, hears that it is to take no more jobs, and sees who else does."""

from dataclasses import replace

import pytest

from core.domain.nodes import ClusterNode, NodeDevice, NodeRole, NodeState, new_node_id
from core.nodes.registered_node import FORGOTTEN_MS, KnownNodes, LifeRules, RegisteredNode, living
from core.storage import nodes as rows
from core.storage.nodes import drain

RULES = LifeRules(beat_s=5, silence_ms=30_000)


def device(gigabytes=24, name="NVIDIA GeForce RTX 4090"):
    return NodeDevice(name, "fp8", "abc", gigabytes * 1024**3)


def node(clock, **changes) -> ClusterNode:
    plain = ClusterNode(
        id=new_node_id(),
        name="attic",
        role=NodeRole.WORKER,
        pool="default",
        device=device(),
        version="1",
        schema=14,
        format=1,
        state=NodeState.LOADING,
        started_at_ms=clock(),
        beat_at_ms=clock(),
    )
    return replace(plain, **changes)


@pytest.fixture
def make(room):
    async def registered(oldest_program=None, before_us=None, **changes) -> RegisteredNode:
        me = node(room.clock, **changes)
        made = RegisteredNode(
            room.database, me, RULES, room.clock, oldest_program=oldest_program, before_us=before_us
        )
        await made.register()
        return made

    return registered


async def read(room):
    async with room.database.snapshot() as connection:
        return {one.id: one for one in await rows.read_nodes(connection)}


async def test_row_tells_the_whole_node(room, make):
    front = await make(role=NodeRole.FRONT, name="desk", device=NodeDevice("", ""))
    worker = await make(resident="base", job_id="j", state=NodeState.READY)

    found = await read(room)

    assert set(found) == {front.id, worker.id}
    expected = node(room.clock, resident="base", job_id="j", state=NodeState.READY)
    assert replace(found[worker.id], id=expected.id) == expected


async def test_workers_that_load_or_work_are_the_slots_of_their_pool(room, make):
    first, second, third = await make(), await make(), await make(pool="large", device=device(80))
    await second.enter(NodeState.READY)
    await third.enter(NodeState.READY)
    await make(role=NodeRole.FRONT)
    await first.beat()

    assert [(one.name, one.slots, one.loading) for one in first.pools()] == [
        ("default", 2, 1),
        ("large", 1, 0),
    ]
    assert first.slots("default") == 2
    assert first.slots("nobody's") == 1


async def test_drained_node_takes_nothing_more_until_it_starts_anew(room, make):
    drained, other = await make(name="attic"), await make(name="cellar")
    await drained.enter(NodeState.READY)
    await other.enter(NodeState.READY)

    async with room.database.transaction() as connection:
        assert await drain(connection, "attic", room.clock() - RULES.silence_ms) == [drained.id]
    await drained.beat()
    await other.beat()

    assert (drained.state, other.state) == (NodeState.DRAINING, NodeState.READY)
    await drained.enter(NodeState.READY)
    assert drained.state is NodeState.DRAINING
    assert (await read(room))[drained.id].state is NodeState.DRAINING
    assert [one.slots for one in other.pools()] == [1]
    again = await make(name="attic")
    await again.enter(NodeState.READY)
    assert again.state is NodeState.READY


async def test_drain_names_nobody_who_is_silent_or_makes_no_clips(room, make):
    await make(name="attic", role=NodeRole.FRONT)
    await make(name="attic")
    room.clock.forward(31)

    async with room.database.transaction() as connection:
        assert await drain(connection, "attic", room.clock() - RULES.silence_ms) == []
        assert await drain(connection, "nobody", 0) == []


async def test_silent_worker_is_no_slot_but_its_device_is_remembered(room, make):
    await make(device=device(24))
    front = await make(role=NodeRole.FRONT)
    room.clock.forward(31)
    await front.beat()

    [pool] = front.pools()
    assert (pool.slots, pool.devices) == (0, (device(24),))


async def test_without_a_worker_ever_there_is_no_pool(make):
    front = await make(role=NodeRole.FRONT)

    assert front.pools() == ()


async def test_process_is_known_from_loading_to_gone(room):
    me = RegisteredNode(room.database, node(room.clock), RULES, room.clock)

    async with living(me):
        assert (await read(room))[me.id].state is NodeState.LOADING
        await me.enter(NodeState.READY)
        assert (await read(room))[me.id].state is NodeState.READY

    assert (await read(room))[me.id].state is NodeState.GONE


async def test_end_that_a_node_announced_is_told_from_a_death(room, make):
    ended, died = await make(), await make()
    await ended.enter(NodeState.ENDING)
    async with room.database.snapshot() as connection:
        assert await rows.ended_on_purpose(connection, [ended.id, died.id]) == {ended.id}


async def test_node_of_long_ago_is_forgotten_but_not_the_last_of_its_device(room, make):
    older, last = await make(), None
    room.clock.forward(60)
    last = await make()
    front = await make(role=NodeRole.FRONT)
    room.clock.forward(FORGOTTEN_MS / 1000 + 1)

    newest = await make(role=NodeRole.FRONT)

    assert set(await read(room)) == {last.id, newest.id}
    assert {older.id, front.id}.isdisjoint(await read(room))


async def test_node_that_was_forgotten_meanwhile_writes_its_row_again(room, make):
    sleeper = await make(role=NodeRole.FRONT)
    room.clock.forward(FORGOTTEN_MS / 1000 + 1)
    await make(role=NodeRole.FRONT)
    assert sleeper.id not in await read(room)

    await sleeper.beat()

    assert sleeper.id in await read(room)


async def test_worker_that_the_schema_left_behind_drains_itself(room, make):
    async def ten(connection):
        return 10

    old, new = await make(ten, schema=9), await make(ten, schema=10)
    await old.beat()
    await new.beat()

    assert (old.state, new.state) == (NodeState.DRAINING, NodeState.LOADING)


async def test_who_only_looks_is_no_node(room, make):
    await make()
    looker = KnownNodes(room.database, node(room.clock), RULES, room.clock)
    await looker.look()
    await looker.enter(NodeState.READY)

    assert [one.slots for one in looker.pools()] == [1]
    assert looker.id not in await read(room)


async def test_node_that_is_known_to_be_dead_is_no_slot_any_more(room, make):
    died, ended, alive = await make(), await make(), await make()
    await ended.enter(NodeState.ENDING)
    after_death = await make(before_us=died.id)
    after_end = await make(before_us=ended.id)

    assert set(await read(room)) == {ended.id, alive.id, after_death.id, after_end.id}
    assert after_end.slots("default") == 3
    assert {one.id for one in after_death.others()} == {ended.id, alive.id}
