"""A worker driven by tokens of the engine: each job once, whatever becomes of its token."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import pytest

from core.app.bootstrap import open_core
from core.app.core import Core
from core.domain.jobs import JobState, ReplyTo
from core.domain.people import Requester
from core.engine.token_driver import TokenDriver
from core.settings import Settings
from core.testing.doubles import (
    QuickExecutor,
    RecordingDelivery,
    eventually,
    running,
    t2v,
)
from core.testing.jobs import submit_request
from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.postgres

TODO = "SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo'"
ANY = "SELECT count(*) FROM procrastinate_jobs"


async def submit(core: Core, user: str, number: int = 0) -> str:
    core.submission.close(closed=False)
    key = f"{user}-{number}"
    ticket = await submit_request(core, t2v(), Requester("test", user), ReplyTo("test"), key)
    return ticket.job_id


@pytest.fixture
def count(postgres_server: PostgresServer) -> Callable[[str], int]:
    def ask(query: str) -> int:
        with postgres_server.connect() as connection:
            found = connection.execute(query).fetchone()
            return found[0] if found else 0

    return ask


@asynccontextmanager
async def ended(core: Core) -> AsyncGenerator[None]:
    async with running(core):
        yield


async def test_on_a_server_the_engine_drives_the_worker(
    core: Core, delivery: RecordingDelivery, count: Callable[[str], int]
) -> None:
    assert isinstance(core.driver, TokenDriver)
    core.router.register(delivery)
    before = await submit(core, "ann")
    assert count(TODO) == 1

    async with running(core), asyncio.timeout(30):
        while_it_runs = await submit(core, "ben")
        await delivery.until(2)

    for job in (before, while_it_runs):
        assert (await core.jobs.get(job)).state is JobState.SUCCEEDED
    assert count(ANY) == 0


async def test_a_submit_that_is_rolled_back_leaves_no_token(
    core: Core, count: Callable[[str], int]
) -> None:
    def refuse() -> None:
        assert count(ANY) == 0
        raise ZeroDivisionError

    job = await core.jobs.get(await submit(core, "ann"))
    await core.database.close()

    with pytest.raises(ZeroDivisionError):
        async with core.database.transaction() as connection:
            from core.storage import jobs as rows

            row = await rows.require(connection, job.id)
            await rows.put_back(connection, row, 1, (0, 0), 1, "")
            raise ZeroDivisionError

    assert count(ANY) == 1
