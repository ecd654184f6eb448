"""What only one node may do: rows that nodes take from each other, on both dialects."""

import asyncio
from uuid import uuid4

from core.bus.cluster_terms import ClusterTerms
from core.storage import terms as rows
from core.storage.terms import TermClaim
from core.testing.doubles import eventually

LONG_MS = 60_000
NAME = "gateway:discord:1"


def claim(name=NAME):
    return TermClaim(name, "node", uuid4().hex)


async def do(room, step, *arguments):
    async with room.database.transaction(turn=False) as connection:
        return await step(connection, *arguments)


async def test_a_term_is_one_nodes_until_it_is_over_or_given_back(room):
    first, second = claim(), claim()

    assert await do(room, rows.take, first, LONG_MS) == 0
    assert 0 < await do(room, rows.take, second, LONG_MS) <= LONG_MS
    assert await do(room, rows.take, claim("chores"), LONG_MS) == 0
    assert await do(room, rows.renew, first, LONG_MS)
    assert not await do(room, rows.renew, second, LONG_MS)
    await do(room, rows.release, second)
    assert await do(room, rows.renew, first, LONG_MS)
    await do(room, rows.release, first)
    assert not await do(room, rows.renew, first, LONG_MS)
    assert await do(room, rows.take, second, LONG_MS) == 0


async def test_a_term_that_is_over_is_taken_and_its_holder_renews_it_no_more(room):
    first, second = claim(), claim()
    await do(room, rows.take, first, 1)
    await asyncio.sleep(0.01)  # by the clock of the database, which no test moves

    assert not await do(room, rows.renew, first, LONG_MS)
    assert await do(room, rows.take, second, LONG_MS) == 0
    await do(room, rows.release, first)  # late
    assert await do(room, rows.renew, second, LONG_MS)


async def test_of_many_who_want_a_free_term_one_gets_it(room):
    tries = [do(room, rows.take, claim(), LONG_MS) for _ in range(8)]

    assert sorted(await asyncio.gather(*tries))[:2] != [0, 0]
    assert await do(room, rows.take, claim(), LONG_MS) > 0


class Shifted:
    """A clock that goes on faster than the loop, as after the process was stopped."""

    def __init__(self):
        self.by_s = 0.0

    def __call__(self):
        return asyncio.get_running_loop().time() + self.by_s


async def test_who_waits_gets_the_term_when_it_is_given_back(room):
    one, other = ClusterTerms(room.database, "1", 30), ClusterTerms(room.database, "2", 30)
    async with one.term(NAME) as term:
        waiting = asyncio.create_task(entered(other))
        await asyncio.wait({waiting}, timeout=0.1)
        assert term.held
        assert not term.wanted
        one.hear(f"wanted {NAME}")
        assert term.wanted
        assert not waiting.done()
    assert not term.held
    other.hear("released chores")
    await asyncio.wait({waiting}, timeout=0.1)
    assert not waiting.done()
    other.hear(f"released {NAME}")

    async with asyncio.timeout(10):
        assert await waiting


async def entered(terms):
    async with terms.term(NAME) as term:
        return term.held


async def test_who_waits_gets_the_term_of_a_node_that_is_gone_once_it_is_over(room):
    await do(room, rows.take, claim(), 300)

    async with asyncio.timeout(10):
        assert await entered(ClusterTerms(room.database, "2", 0.5))


async def test_a_term_that_is_renewed_outlives_its_length(room):
    async with ClusterTerms(room.database, "1", 0.5).term(NAME) as term:
        await asyncio.sleep(1.5)  # three of them

        assert term.held
        assert await do(room, rows.take, claim(), LONG_MS) > 0


async def test_who_was_stopped_beyond_its_term_knows_before_it_does_anything(room):
    clock = Shifted()
    async with ClusterTerms(room.database, "1", 10, clock).term(NAME) as term:
        assert term.held
        clock.by_s = 8.0  # two seconds before it ends in the rows
        assert not term.held

        async with asyncio.timeout(10):
            await term.wait_lost()


async def test_a_term_that_somebody_else_took_is_lost_at_the_next_renewal(room):
    async with ClusterTerms(room.database, "1", 0.5).term(NAME) as term:
        async with room.database.transaction() as connection:
            await connection.exec_driver_sql("UPDATE term SET token = 'another'")

        async with asyncio.timeout(10):
            await term.wait_lost()
        assert not term.held
    assert await do(room, rows.take, claim(), LONG_MS) > 0  # not given back by who lost it


async def test_a_doubted_term_is_not_held_until_the_rows_say_so(room):
    async with ClusterTerms(room.database, "1", 30).term(NAME) as term:
        term.doubt()
        assert not term.held

        async def held():
            return term.held

        await eventually(held)

        async with room.database.transaction() as connection:
            await connection.exec_driver_sql("UPDATE term SET token = 'another'")
        term.doubt()
        async with asyncio.timeout(10):
            await term.wait_lost()
