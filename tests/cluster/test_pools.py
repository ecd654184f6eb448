"""Workers of a pool of any name are called for what is bound to it."""

import pytest

from tests.cluster.conftest import NodesAtWork

pytestmark = [pytest.mark.xdist_group("cluster"), pytest.mark.timeout(180)]


async def test_jobs_of_a_pool_with_a_name_of_its_own_are_made(nodes_at_work: NodesAtWork) -> None:
    more = {"POOL": "attic"}
    async with nodes_at_work(workers=1, jobs=4, render_s=0.05, more=more) as cluster:
        await cluster.until_told(4, 90)
        with cluster.server.connect() as connection:
            pools = connection.execute("SELECT DISTINCT pool FROM job").fetchall()

    assert pools == [("attic",)]
