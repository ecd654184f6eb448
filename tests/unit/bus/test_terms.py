"""Nodes at one PostgreSQL pass their terms on, and end them where the rows do not answer."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from core.bus.bus import NotificationBus
from core.bus.cluster_terms import ClusterTerms
from core.bus.incoming import LocalEnds
from core.bus.while_held import run_until_wanted, run_while_held
from core.interfaces.terms import OwnTerms
from core.runtime.notifier import LocalDispatcher
from core.runtime.progress_hub import ProgressHub
from core.storage.addresses import postgres_address
from core.storage.database import Database
from core.storage.notifications import Notifications
from core.testing.doubles import eventually

NAME = "gateway:discord:1"


@asynccontextmanager
async def node(server, name, length_s):
    """Give the terms of a node whose bus is connected."""
    database, stop, connected = Database(server.url()), asyncio.Event(), asyncio.Event()
    terms = ClusterTerms(database, name, length_s)
    bus = NotificationBus(Notifications(postgres_address(server.url())), database)
    ends = LocalEnds(ProgressHub(), LocalDispatcher(), connected.set, terms.hear)
    running = asyncio.create_task(bus.run(ends, stop))
    try:
        async with asyncio.timeout(30):
            await connected.wait()
        yield terms
    finally:
        stop.set()
        await running
        await database.close()


class Work:
    """Something that is done under a term; counts how often, and how often at once."""

    def __init__(self):
        self.begun = asyncio.Queue()
        self.now = self.most = 0
        self.unwind_s = 0.0

    async def __call__(self, term):
        self.now += 1
        self.most = max(self.most, self.now)
        await self.begun.put(term)
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(self.unwind_s)
            self.now -= 1

    async def at_rest(self):
        return not self.now


async def wanted(term):
    """Wait until another node tried to get the term, and told so."""

    async def told():
        return term.wanted

    await eventually(told, 30)


@asynccontextmanager
async def working(terms, work, stop=None):
    task = asyncio.create_task(run_while_held(terms, NAME, work, stop or asyncio.Event()))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task})


async def test_a_term_that_is_given_back_is_taken_at_once_by_who_hears_of_it(postgres_server):
    postgres_server.empty()
    work = Work()
    async with node(postgres_server, "1", 300) as one, node(postgres_server, "2", 300) as other:
        async with working(one, work):
            first = await work.begun.get()
            waiting = asyncio.create_task(run_while_held(other, NAME, work, asyncio.Event()))
            await wanted(first)
            assert work.begun.empty()

        async with asyncio.timeout(30):  # of the 300 s that it would have to wait unheard
            second = await work.begun.get()
        assert (first.held, second.held, work.most) == (False, True, 1)
        waiting.cancel()
        await asyncio.wait({waiting})


async def test_a_holder_whose_database_does_not_answer_ends_before_its_term_does(postgres_server):
    postgres_server.empty()
    work, loop = Work(), asyncio.get_running_loop()
    async with node(postgres_server, "1", 3) as terms, working(terms, work):
        term = await work.begun.get()
        with postgres_server.connect() as stuck, stuck.transaction():
            stuck.execute("LOCK TABLE term IN ACCESS EXCLUSIVE MODE")
            left_ms = stuck.execute(
                "SELECT until_ms - extract(epoch FROM clock_timestamp()) * 1000 FROM term"
            ).fetchone()[0]
            began = loop.time()
            await asyncio.wait_for(term.wait_lost(), 30)
            await eventually(work.at_rest)
            assert loop.time() - began < float(left_ms) / 1000

        async with asyncio.timeout(30):
            assert (await work.begun.get()).held  # and it comes back with the database


async def test_work_whose_term_is_lost_is_begun_again_only_after_it_ended(postgres_server):
    postgres_server.empty()
    work = Work()
    work.unwind_s = 0.3
    async with node(postgres_server, "1", 0.5) as terms, working(terms, work):
        for _ in range(3):
            await work.begun.get()
            with postgres_server.connect() as connection:
                connection.execute("DELETE FROM term")
        async with asyncio.timeout(30):
            assert (await work.begun.get()).held

    assert (work.most, work.now) == (1, 0)


async def test_nobody_waits_for_a_term_after_a_stop(postgres_server):
    postgres_server.empty()
    work, stop = Work(), asyncio.Event()
    async with node(postgres_server, "1", 300) as one, node(postgres_server, "2", 300) as other:
        async with working(one, work):
            first = await work.begun.get()
            async with working(other, work, stop) as waiting:
                await wanted(first)
                stop.set()
                await asyncio.wait_for(waiting, 30)
        assert work.begun.empty()


async def test_a_stop_ends_work_at_once_only_where_another_node_waits(postgres_server):
    postgres_server.empty()
    stop, ended = asyncio.Event(), asyncio.Event()
    stop.set()

    async with node(postgres_server, "1", 300) as one, one.term(NAME) as term:
        finishing = asyncio.create_task(run_until_wanted(ended.wait(), term, stop))
        await asyncio.wait({finishing}, timeout=0.1)
        assert not finishing.done()
        ended.set()
        await finishing
        one.hear(f"wanted {NAME}")
        async with asyncio.timeout(10):
            await run_until_wanted(asyncio.Event().wait(), term, stop)


async def test_what_work_raises_is_told_and_its_term_given_back():
    async def broken(_):
        raise ZeroDivisionError

    async def done(_):
        return

    with pytest.raises(ZeroDivisionError):
        await run_while_held(OwnTerms(), NAME, broken, asyncio.Event())
    await run_while_held(OwnTerms(), NAME, done, asyncio.Event())
