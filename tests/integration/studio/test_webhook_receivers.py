"""Receivers that mean no good: every message ends in time, reads no body, goes nowhere else."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from core.domain.jobs import Failure, Job, JobState
from core.domain.people import Requester
from core.errors import DeliveryRetry
from core.interfaces.delivery import DeliveryAttempt
from core.testing.doubles import eventually, t2v
from webui.api.v1 import webhooks
from webui.api.v1.webhooks import WebhookDelivery, WebhookMessage, reply_to_program

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]
FIRST = DeliveryAttempt(1, ambiguous=False, nonce="n1")


@asynccontextmanager
async def receiver(answer: Answer) -> AsyncGenerator[tuple[str, list[bytes]]]:
    """A server of a program's; yields its address and what it was asked."""
    asked: list[bytes] = []
    open_: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_.add(asyncio.current_task())  # type: ignore[arg-type]
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            asked.append(await reader.readuntil(b"\r\n\r\n"))
            await answer(writer)
        writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook", asked
    finally:
        server.close()
        for one in open_:
            one.cancel()
        await asyncio.gather(*open_, return_exceptions=True)


class Secrets:
    async def signing_secret(self, prefix: str) -> str | None:
        return f"secret of {prefix}"


def delivery() -> WebhookDelivery:
    secrets: Any = Secrets()
    return WebhookDelivery(secrets, lambda: 0, loopback=True)


def job(url: str, token: str = "robot") -> Job:
    return Job(
        "a" * 32, Requester("program", token), t2v(), reply_to_program(url, token, "http://us"),
        JobState.FAILED, 1000, 1, None, 0,
    )  # fmt: skip


async def tell(told: WebhookDelivery, url: str, token: str = "robot") -> None:
    await told.failed(job(url, token), Failure("disk_full"), FIRST)


async def silent(_: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


def sends(head: bytes, part: bytes = b"") -> Answer:
    """Answer with ``head``, and with ``part`` as long as somebody reads it."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        await writer.drain()
        while part:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0)
        await asyncio.Event().wait()

    return answer


OK = b"HTTP/1.1 200 OK\r\n"
TAKEN = {
    "3 GB": sends(OK + b"Content-Length: 3000000000\r\n\r\n", b"x" * 100_000),
    "a body without an end": sends(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "a bomb": sends(OK + b"Content-Encoding: gzip\r\nContent-Length: 900\r\n\r\n" + b"\x1f\x8b"),
    "another type": sends(b"HTTP/1.1 299 Hm\r\nContent-Type: text/html\r\n\r\n", b"<script>"),
}
REFUSED = {
    "silence": (silent, "webhook_slow"),
    "one byte at a time": (sends(OK, b""), "webhook_slow"),
    "continue for ever": (sends(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "webhook_slow"),
    "headers for ever": (sends(OK, b"X: " + b"y" * 9000 + b"\r\n"), "webhook_unreachable"),
    "another protocol": (sends(b"SSH-2.0-OpenSSH_9\r\n\r\n"), "webhook_unreachable"),
    "a switch": (sends(b"HTTP/1.1 101 X\r\nUpgrade: h2c\r\n\r\n"), "webhook_unreachable"),
    "a negative length": (sends(OK + b"Content-Length: -5\r\n\r\n"), "webhook_unreachable"),
    "3 GB of excuse": (
        sends(b"HTTP/1.1 500 X\r\nContent-Length: 3000000000\r\n\r\n", b"x" * 100_000),
        "webhook_answer",
    ),
    "a pause of years": (
        sends(b"HTTP/1.1 503 X\r\nRetry-After: 99999999999999\r\n\r\n"),
        "webhook_answer",
    ),
    "a pause in no number": (
        sends(b"HTTP/1.1 503 X\r\nRetry-After: Mon, 99 Foo 99999 99:99:99 +9999\r\n\r\n"),
        "webhook_answer",
    ),
}


@pytest.mark.parametrize("answer", TAKEN.values(), ids=TAKEN)
async def test_what_follows_a_success_is_not_read(answer: Answer) -> None:
    async with receiver(answer) as (url, _), asyncio.timeout(30):
        await tell(delivery(), url)


@pytest.mark.parametrize(("answer", "reason"), REFUSED.values(), ids=REFUSED)
async def test_what_is_no_success_ends_in_time_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, answer: Answer, reason: str
) -> None:
    if reason == "webhook_slow":
        monkeypatch.setattr(webhooks, "TIMEOUT_S", 0.3)
    async with receiver(answer) as (url, _), asyncio.timeout(30):
        with pytest.raises(DeliveryRetry) as refused:
            await tell(delivery(), url)

    assert (refused.value.reason, refused.value.sent) == (reason, True)


async def test_a_redirect_is_followed_nowhere() -> None:
    async with receiver(silent) as (inside, asked):
        for status in (301, 302, 303, 307, 308):
            head = f"HTTP/1.1 {status} X\r\nLocation: {inside}\r\nContent-Length: 0\r\n\r\n"
            async with receiver(sends(head.encode())) as (url, _):
                with pytest.raises(DeliveryRetry, match="webhook_answer"):
                    await tell(delivery(), url)

    assert asked == []


async def test_a_slow_receiver_holds_one_place_and_others_get_theirs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told, taken = delivery(), sends(b"HTTP/1.1 204 No Content\r\n\r\n")

    async def connected() -> bool:
        return len(asked) == 2

    async with receiver(silent) as (slow, asked), receiver(taken) as (quick, _):
        monkeypatch.setattr(webhooks, "TIMEOUT_S", 0.2)
        with pytest.raises(DeliveryRetry):
            await tell(told, slow)
        monkeypatch.setattr(webhooks, "TIMEOUT_S", 60)
        waiting = asyncio.create_task(tell(told, slow))
        await eventually(connected)
        with pytest.raises(DeliveryRetry) as put_off:
            await tell(told, slow)
        await tell(told, quick, "another robot")
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert len(asked) == 2
        await tell(told, quick)  # it answers again, in its one place
        await asyncio.gather(tell(told, quick), tell(told, quick))

    assert (put_off.value.reason, put_off.value.sent) == ("webhook_slow", False)


def test_a_message_that_is_written_down_keeps_its_secret() -> None:
    assert "whsec_1" not in repr(WebhookMessage("id", 0, b"{}", "whsec_1"))
