"""Answers that stay open are counted by whose they are, and end with their sign-in."""

import asyncio
from typing import Any

import pytest
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from core.domain.people import Requester
from webui.auth.open_streams import OF_NETWORK, OF_ONE, StreamLimits
from webui.auth.visitors import Visitor

STREAM, ARCHIVE = "/gradio_api/queue/data", "/studio/gallery.zip"


class Surroundings:
    """A server with streams that never end by themselves, and who may read them."""

    def __init__(self) -> None:
        self.visitors: dict[str, Visitor] = {}  # by the name that they send
        self.told: list[dict[str, Any]] = []
        self.begun = 0
        self._changed = asyncio.Condition()
        self.layer = StreamLimits(self.endless, self.identify, self.network_of, look_s=0.001)

    def identify(self, connection: HTTPConnection) -> Visitor | None:
        return self.visitors.get(connection.headers["name"])

    @staticmethod
    def network_of(connection: HTTPConnection) -> str:
        return connection.headers["network"]

    async def endless(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        async with self._changed:
            self.begun += 1
            self._changed.notify_all()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"data", "more_body": True})
        await asyncio.Event().wait()

    def open(
        self, name: str = "ann", network: str = "home", path: str = STREAM
    ) -> asyncio.Task[None]:
        async def send(message: Any) -> None:  # as of a server
            self.told.append(message)

        async def receive() -> Any:  # as of a server
            await asyncio.Event().wait()

        headers = [(b"network", network.encode()), (b"name", name.encode())]
        scope = {"type": "http", "path": path, "headers": headers, "state": {}, "method": "GET"}
        HTTPConnection(scope).state.visitor = self.visitors.get(name)
        return asyncio.create_task(self.layer(scope, receive, send))

    async def until(self, begun: int) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: self.begun >= begun)


@pytest.fixture
def around() -> Surroundings:
    found = Surroundings()
    found.visitors["ann"] = Visitor(Requester("studio", "ann"), account="ann")
    return found


async def close(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize("path", [STREAM, ARCHIVE, "/gradio_api/call/v2/t2v/abc"])
async def test_one_too_many_is_refused_and_fits_once_another_is_closed(
    around: Surroundings, path: str
) -> None:
    streams = [around.open(path=path) for _ in range(OF_ONE)]
    await around.until(OF_ONE)

    await around.open(path=path)
    refused = next(message for message in around.told if message.get("status") == 429)
    assert (b"retry-after", b"10") in refused["headers"]

    await close(streams[:1])
    streams.append(around.open(path=path))
    await around.until(OF_ONE + 1)
    await close(streams)


async def test_many_guests_of_one_network_are_one_network(around: Surroundings) -> None:
    streams: list[asyncio.Task[None]] = []
    for number in range(OF_NETWORK):
        around.visitors[f"{number}"] = Visitor(Requester("studio", f"guest-{number}"))
        streams.append(around.open(f"{number}"))
    await around.until(OF_NETWORK)

    await around.open()
    streams.append(around.open(network="next door"))
    await around.until(OF_NETWORK + 1)

    assert [message["status"] for message in around.told if "status" in message].count(429) == 1
    await close(streams)


@pytest.mark.parametrize("now", [None, Visitor(Requester("studio", "guest-1"))])
async def test_a_stream_ends_once_its_reader_is_somebody_else_or_nobody(
    around: Surroundings, now: Visitor | None
) -> None:
    stream = around.open()
    await around.until(1)
    if now is None:
        del around.visitors["ann"]
    else:
        around.visitors["ann"] = now

    await stream

    assert around.told[-1] == {"type": "http.response.body", "body": b"", "more_body": False}


async def test_who_keeps_no_cookie_is_another_guest_each_time_and_reads_on(
    around: Surroundings,
) -> None:
    around.visitors["ann"] = Visitor(Requester("studio", "guest-1"), cookie="new")
    stream = around.open()
    await around.until(1)
    around.visitors["ann"] = Visitor(Requester("studio", "guest-2"), cookie="newer")

    done, _ = await asyncio.wait({stream}, timeout=0.05)

    assert not done
    await close([stream])


async def test_what_ends_at_once_is_not_counted(around: Surroundings) -> None:
    pages = [around.open(path="/studio/state") for _ in range(OF_ONE + 1)]
    await around.until(OF_ONE + 1)
    await close(pages)
