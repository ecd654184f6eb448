"""A node that stands still inside its turn holds the others up for 3 s, and not for ever."""

import signal
import time

import pytest

from core.storage.database import Database
from tests.cluster.conftest import NodesAtWork

pytestmark = [pytest.mark.xdist_group("cluster"), pytest.mark.timeout(120)]
HELD_S = 3.5
HOLDERS = """
    SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND granted AND state = 'idle in transaction'
"""


async def test_a_node_stopped_inside_its_turn_holds_the_others_up_for_a_bounded_time(
    nodes_at_work: NodesAtWork,
) -> None:
    async with nodes_at_work(workers=1, jobs=200, render_s=0.05) as cluster:
        await cluster.until_told(1)
        database = Database(cluster.server.url())
        stopped = cluster.workers[0]

        stopped.signal(signal.SIGUSR1)
        await stopped.until_stopped()
        began = time.monotonic()
        with cluster.server.connect() as connection:
            holders = connection.execute(HOLDERS).fetchone()
        async with database.transaction():
            held_s = time.monotonic() - began
        stopped.signal(signal.SIGCONT)

        assert holders == (1,), "it was stopped inside its turn"
        assert held_s <= HELD_S
        told = cluster.told
        await cluster.until_told(told + 5)
        await database.close()
