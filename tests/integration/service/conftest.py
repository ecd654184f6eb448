"""One requester, one way to submit, and a look into the ledger."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from core.app.core import Core
from core.domain.jobs import Job, ReplyTo, Ticket
from core.domain.media import Clip, RawClip
from core.domain.people import Requester
from core.domain.requests import Request
from core.interfaces.executor import Order
from core.runtime.cancellation import CancelToken
from core.storage.invariants import check
from core.testing.doubles import t2v
from core.testing.jobs import submit_request
from tests.support.jobs import until_ended

Submit = Callable[..., Awaitable[Ticket]]


@pytest.fixture
def ann() -> Requester:
    return Requester("test", "ann")


@pytest.fixture
def ben() -> Requester:
    return Requester("test", "ben")


@pytest.fixture
def submit(core: Core, ann: Requester) -> Submit:
    async def submit(
        key: str = "one", requester: Requester = ann, request: Request | None = None
    ) -> Ticket:
        reply_to = ReplyTo("test", {"channel": requester.user_id})
        return await submit_request(core, request or t2v(), requester, reply_to, key)

    return submit


@pytest.fixture
def sound_ledger(core: Core) -> Callable[[], Awaitable[None]]:
    async def assert_sound() -> None:
        async with core.database.transaction() as connection:
            assert await check(connection) == []

    return assert_sound


@pytest.fixture
def ended(core: Core) -> Callable[[str], Awaitable[Job]]:
    """Wait until a job is terminal."""
    return partial(until_ended, core)


class Encoder:
    """The real finishing, with a gate in front of it."""

    def __init__(self, core: Core) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.started = asyncio.Event()
        self._finish = core.worker.finish

    async def __call__(self, raw: RawClip, order: Order, cancel: CancelToken) -> Clip:
        clip = await self._finish(raw, order, cancel)
        self.started.set()
        await self.gate.wait()
        return clip


@pytest.fixture
def encoder(core: Core) -> Encoder:
    """Lets a test hold a finished clip between the encoder and the database."""
    gated = Encoder(core)
    core.worker.finish = gated
    return gated
