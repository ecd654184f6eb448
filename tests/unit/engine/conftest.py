"""The engine needs a server: every test here has its rows on one."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from core.app.core import Core
from core.domain.jobs import ReplyTo
from core.domain.people import Requester
from core.settings import Settings
from core.testing.doubles import t2v
from core.testing.jobs import submit_request
from tests.support.postgres import PostgresServer

TOKENS = "procrastinate_jobs WHERE task_name = 'clapper:attempt'"
PROGRAM = Path(__file__).with_name("worker_life.py")
NewLife = Callable[[str], AbstractAsyncContextManager[asyncio.subprocess.Process]]


async def submit(core: Core, user: str, number: int = 0) -> str:
    """Submit a job, also to a core that does not run."""
    core.submission.close(closed=False)
    key = f"{user}-{number}"
    ticket = await submit_request(core, t2v(), Requester("test", user), ReplyTo("test"), key)
    return ticket.job_id


@pytest.fixture
def dialect() -> str:
    return "postgres"


@pytest.fixture
def count(postgres_server: PostgresServer) -> Callable[[str], int]:
    """Count rows of a table, on a connection of its own."""

    def ask(table: str) -> int:
        with postgres_server.connect() as connection:
            found = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
            return found[0] if found else 0

    return ask


@pytest.fixture
def life(settings: Settings, tmp_path: Path, postgres_server: PostgresServer) -> NewLife:
    """Start another service at the same rows, in a process; it ends with the block."""

    @asynccontextmanager
    async def start(what: str) -> AsyncGenerator[asyncio.subprocess.Process]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, PROGRAM, tmp_path / "other", postgres_server.url(), what,
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            while (line := await process.stdout.readline()) != b"ready\n":
                assert line, "it ended at once"
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    return start
