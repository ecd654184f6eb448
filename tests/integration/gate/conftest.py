"""A front with its gate open on 127.0.0.1, and machines that come through it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from pydantic import SecretStr

from core.app.bootstrap import open_core
from core.app.core import Core
from core.app.front_gate import front_gate
from core.app.gate_worker import open_gate_worker
from core.domain.jobs import Job, ReplyTo
from core.domain.people import Requester
from core.domain.requests import Request
from core.gate.client import GateClient
from core.gate.nodes import GateNodes
from core.settings import Settings
from core.testing.doubles import QuickExecutor, RecordingDelivery, t2v
from core.testing.jobs import submit_request
from tests.conftest import settings_in
from tests.support.settings import changed

ANN = Requester("test", "ann")


@dataclass
class Front:
    """A front without a worker of its own."""

    core: Core
    address: str
    folder: Path

    @property
    def nodes(self) -> GateNodes:
        return GateNodes(self.core.database)

    async def submit(self, request: Request | None = None, key: str = "one") -> str:
        ticket = await submit_request(self.core, request or t2v(), ANN, ReplyTo("test"), key)
        return ticket.job_id

    async def job(self, job_id: str) -> Job:
        return await self.core.jobs.get(job_id)

    @asynccontextmanager
    async def machine(self, name: str) -> AsyncIterator[GateClient]:
        """The client of a machine that was let in."""
        async with self.client(await self.nodes.admit(name)) as client:
            yield client

    def client(self, token: str) -> GateClient:
        """The client of a machine with this token."""
        return GateClient(self.address, SecretStr(token))

    @asynccontextmanager
    async def caller(self, token: str) -> AsyncIterator[httpx2.AsyncClient]:
        """Whoever calls by hand."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with httpx2.AsyncClient(
            base_url=self.address, headers=headers, trust_env=False
        ) as client:
            yield client

    @asynccontextmanager
    async def worker(
        self, executor: QuickExecutor, name: str = "rented"
    ) -> AsyncIterator[asyncio.Event]:
        """A whole worker on a rented machine, with the event that stops it earlier."""
        settings = changed(
            settings_in(self.folder / name),
            gate_url=self.address,
            gate_token=await self.nodes.admit(name),
        )
        stop = asyncio.Event()
        async with open_gate_worker(settings, executor) as (worker, driver):
            work = asyncio.create_task(driver.run(worker, stop))
            try:
                yield stop
            finally:
                stop.set()
                await work


@pytest.fixture
async def front(
    settings: Settings, tmp_path: Path, delivery: RecordingDelivery
) -> AsyncGenerator[Front]:
    async with open_core(changed(settings, gate_port=0), QuickExecutor()) as core:
        core.submission.close(closed=False)
        core.router.register(delivery)
        stop = asyncio.Event()
        routing = asyncio.create_task(core.router.run(stop))
        async with front_gate(core) as port:
            yield Front(core, f"http://127.0.0.1:{port}", tmp_path)
        stop.set()
        await routing
