"""The bot under its term: begun again and again in one process, and silent once it is lost."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

from bots.telegram.front import FRONT
from core.app.bootstrap import open_core
from core.app.core import Core
from core.app.serve import front_services
from core.bus.cluster_terms import ClusterTerms
from core.bus.while_held import run_while_held
from core.interfaces.terms import Term
from core.testing.doubles import eventually, running
from tests.support.platforms.faults import Fault

LONG_S = 300.0
CONFLICT = {"description": "Conflict: terminated by other getUpdates request"}


@pytest.fixture
async def core(telegram_settings, executor) -> AsyncGenerator[Core]:
    async with open_core(telegram_settings, executor) as opened, running(opened):
        yield opened


@asynccontextmanager
async def serving(core: Core, length_s: float) -> AsyncGenerator["asyncio.Queue[Term]"]:
    """Run the bot whenever its term is ours; gives the terms under which it became ready."""
    terms, ready = ClusterTerms(core.database, "here", length_s), asyncio.Queue[Term]()

    async def serve(term: Term) -> None:
        await FRONT.run(front_services(core, term), partial(ready.put_nowait, term))

    name = FRONT.term(core.settings)
    task = asyncio.create_task(run_while_held(terms, name, serve, asyncio.Event()))
    try:
        yield ready
    finally:
        task.cancel()
        await asyncio.wait({task})


async def change(core: Core, statement: str) -> None:
    async with core.database.transaction() as connection:
        await connection.execute(text(statement))


def polls(server: Any) -> int:
    return sum(name == "getUpdates" for name, _ in server.world.calls)


async def answered(server: Any, user: int) -> None:
    server.world.said(user, server.world.private(user), text="/queue")
    await server.world.until(lambda: server.world.shown(user))
    assert len(server.world.shown(user)) == 1


async def test_a_bot_is_begun_again_in_one_process_as_often_as_its_term_is_ours(
    core: Core, telegram_server
) -> None:
    async with serving(core, 1.0) as ready:
        for user in (501, 502, 503):
            term = await asyncio.wait_for(ready.get(), 60)
            assert term.held
            await answered(telegram_server, user)
            await change(core, "DELETE FROM term")  # as if it had been given to somebody else
            await asyncio.wait_for(term.wait_lost(), 60)


async def test_a_conflict_ends_polling_where_the_term_is_another_nodes(
    core: Core, telegram_server
) -> None:
    async with serving(core, LONG_S) as ready:
        term = await asyncio.wait_for(ready.get(), 60)
        await change(core, "UPDATE term SET token = 'another', node = 'there'")
        telegram_server.faults.add(Fault("getUpdates", status=409, body=CONFLICT))
        telegram_server.world.said(501, telegram_server.world.private(501), text="/queue")

        await asyncio.wait_for(term.wait_lost(), 60)
        after = polls(telegram_server)
        await eventually(lambda: unregistered(core))

        assert polls(telegram_server) == after
        assert telegram_server.world.updates  # not confirmed: it is for the other node
        assert ready.empty()


async def unregistered(core: Core) -> bool:
    return core.router._deliveries.get("telegram") is None


async def test_a_conflict_with_a_stranger_ends_nothing_that_is_ours(
    core: Core, telegram_server
) -> None:
    async with serving(core, LONG_S) as ready:
        term = await asyncio.wait_for(ready.get(), 60)
        telegram_server.faults.add(Fault("getUpdates", status=409, body=CONFLICT))

        await answered(telegram_server, 501)
        assert term.held


async def test_nothing_leaves_for_telegram_and_nothing_is_confirmed_without_the_term(
    core: Core, telegram_server
) -> None:
    async with serving(core, LONG_S) as ready:
        term: Any = await asyncio.wait_for(ready.get(), 60)
        await telegram_server.world.until(lambda: polls(telegram_server))
        term._until_s -= LONG_S  # over, as after a stop: nobody has noticed yet
        calls = len(telegram_server.world.calls)
        telegram_server.world.said(501, telegram_server.world.private(501), text="/queue")

        term.ask.set()
        await asyncio.wait_for(term.wait_lost(), 60)
        await eventually(lambda: unregistered(core))

        assert len(telegram_server.world.calls) == calls
        assert telegram_server.world.updates
