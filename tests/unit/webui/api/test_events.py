"""A stream that is cut before its first event does not stay among those that are open."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from core.domain.limits import RequestLimits
from core.errors.programs import StreamsTooMany
from webui.api.v1.answers import JobWriter
from webui.api.v1.application import _CountedStream  # pyright: ignore[reportPrivateUsage]  # what is cut
from webui.api.v1.events import RETRY_MS, job_events
from webui.auth.open_streams import OF_ONE, OpenStreams


async def events() -> AsyncIterator[str]:
    yield "retry: 1\n\n"


async def test_a_reader_who_leaves_before_the_first_event_is_not_counted_for_ever() -> None:
    streams = OpenStreams()

    async def send(_: Any) -> None:  # as of a server
        raise OSError

    async def receive() -> Any:  # as of a server
        return {"type": "http.disconnect"}

    scope = {"type": "http", "asgi": {"spec_version": "2.4"}}
    for _ in range(OF_ONE + 1):
        streams.enter("robot")
        stream = _CountedStream(lambda: streams.leave("robot"), events())
        with pytest.raises(Exception):  # noqa: B017, PT011  # whatever ends it
            await stream(scope, receive, send)
    for _ in range(OF_ONE):
        streams.enter("robot")
    with pytest.raises(StreamsTooMany):
        streams.enter("robot")


async def test_a_stop_ends_a_stream_without_saying_that_the_job_is_gone() -> None:
    async def look() -> None:
        pytest.fail("looked at after the stop")

    write = JobWriter("http://studio.example", RequestLimits(), "en")
    sent = [event async for event in job_events(look, write, "", lambda: True)]

    assert sent == [f"retry: {RETRY_MS}\n\n"]
