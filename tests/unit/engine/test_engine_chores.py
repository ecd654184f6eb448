"""Chores at a server: done once for all processes there, whoever of them dies."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import pytest

from core.app.core import Core
from core.engine import engine_chores
from core.engine.engine_chores import EngineChores
from core.runtime.chores import Chore, LocalChores
from core.storage.addresses import postgres_address
from core.storage.engine_connections import EngineConnections
from core.storage.work_tokens import WorkTokens
from core.testing.doubles import eventually
from tests.support.postgres import PostgresServer
from tests.unit.engine.conftest import TOKENS, submit

pytestmark = pytest.mark.postgres


class Counted:
    """Notes which process did a chore."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.news = asyncio.Event()

    def chore(self, who: str, *, everywhere: bool = False) -> Chore:
        async def do() -> None:
            self.done.append(who)
            self.news.set()
            raise ZeroDivisionError  # which stops nothing

        return Chore("count", 1, do, everywhere=everywhere)

    async def until(self, times: int) -> None:
        while len(self.done) < times:
            self.news.clear()
            await self.news.wait()


@asynccontextmanager
async def doing(core: Core, server: PostgresServer, chore: Chore) -> AsyncGenerator[None]:
    connections = EngineConnections(postgres_address(server.url()))
    stop = asyncio.Event()
    work = asyncio.create_task(
        EngineChores(connections, WorkTokens(core.database)).run([chore], stop)
    )
    try:
        yield
    finally:
        stop.set()
        await work


async def test_of_two_processes_one_does_a_chore_each_time(
    core: Core, postgres_server: PostgresServer
) -> None:
    counted, loop = Counted(), asyncio.get_running_loop()
    async with asyncio.timeout(60), doing(core, postgres_server, counted.chore("a")):
        async with doing(core, postgres_server, counted.chore("b")):
            await counted.until(1)
            began, before = loop.time(), len(counted.done)
            await counted.until(before + 3)
            assert loop.time() - began > 1.5  # three seconds have three, not six
        after_one_left = len(counted.done)
        await counted.until(after_one_left + 1)


async def test_what_each_process_does_for_itself_is_done_by_each(
    core: Core, postgres_server: PostgresServer
) -> None:
    counted = Counted()
    async with (
        asyncio.timeout(60),
        doing(core, postgres_server, counted.chore("a", everywhere=True)),
        doing(core, postgres_server, counted.chore("b", everywhere=True)),
    ):
        await counted.until(4)
    assert set(counted.done) == {"a", "b"}


async def test_what_a_dead_worker_held_is_removed_and_its_jobs_get_tokens(
    core: Core,
    postgres_server: PostgresServer,
    count: Callable[[str], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine_chores, "SWEEP_S", 1)
    await submit(core, "ann")
    with postgres_server.connect() as connection:
        connection.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour')"
        )
        connection.execute(
            "UPDATE procrastinate_jobs SET status = 'doing',"
            " worker_id = (SELECT id FROM procrastinate_workers)"
        )

    async with doing(core, postgres_server, Counted().chore("a")):
        await eventually(lambda: asyncio.sleep(0.05, count(f"{TOKENS} AND status = 'todo'") == 1))

    assert count(f"{TOKENS} AND status = 'doing'") == 0


async def test_local_chores_go_on_after_one_that_fails_and_end_with_the_service() -> None:
    counted, stop = Counted(), asyncio.Event()
    work = asyncio.create_task(LocalChores().run([counted.chore("a")], stop))
    async with asyncio.timeout(30):
        await counted.until(2)
        stop.set()
        await work
