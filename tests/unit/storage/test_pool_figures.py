"""What waits for each pool of devices, as the rows say."""

import sqlalchemy as sa

from core.domain.scaling import PoolBacklog
from core.storage.pool_figures import read_backlogs


async def backlogs(room):
    async with room.database.snapshot() as connection:
        return list(await read_backlogs(connection, room.clock()))


async def test_no_pool_has_a_backlog_where_nothing_waits_or_runs(room):
    await room.submit("anna")
    await room.finish(await room.start(), 700)

    assert await backlogs(room) == []


async def test_backlog_is_what_waits_and_runs_and_the_oldest_is_of_what_waits(room):
    await room.submit("anna", estimate_ms=40_000)
    room.clock.forward(60)
    await room.submit("ben", estimate_ms=30_000)
    room.clock.forward(5)

    assert await backlogs(room) == [PoolBacklog("default", 70.0, 65.0)]
    await room.start()
    assert await backlogs(room) == [PoolBacklog("default", 70.0, 5.0)]
    await room.start()
    assert await backlogs(room) == [PoolBacklog("default", 70.0, 0.0)]


async def test_each_pool_has_its_own(room):
    await room.submit("anna", estimate_ms=40_000)
    async with room.database.transaction() as connection:
        await connection.execute(sa.text("UPDATE job SET pool = 'large'"))
    await room.submit("ben", estimate_ms=30_000)

    assert await backlogs(room) == [PoolBacklog("default", 30.0), PoolBacklog("large", 40.0)]
