"""Messages to programs: signed, repeated until taken, given up in sight of the operator."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest

from core.accounts.program_tokens import IssuedToken, TokenOrder
from core.domain.people import Requester
from core.errors import OutOfMemory
from core.settings import Settings
from core.testing.doubles import QuickExecutor, eventually
from tests.support.sites import certificate
from webui.api.v1.webhook_target import WebhookTarget
from webui.api.v1.webhooks import WebhookMessage, post
from webui.testing.server import ServedStudio, served

OPERATOR = Requester("cli", "tester")
BOAT = {
    "mode": "t2v", "prompt": "a secret boat", "preset": "fast",
    "width": 256, "height": 256, "seconds": 1.0,
}  # fmt: skip


class Receiver:
    """A program's own server: keeps what it is sent, and answers as it is told, then with 204."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {n.lower(): v for n, _, v in (line.partition(": ") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers["content-length"]))
        self.got.append((headers, body))
        status = self.answers.pop(0) if self.answers else "204 No Content"
        writer.write(
            f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
        )
        await writer.drain()
        writer.close()


@asynccontextmanager
async def receiving(*answers: str) -> AsyncGenerator[Receiver]:
    receiver = Receiver(*answers)
    async with await asyncio.start_server(receiver.answer, "127.0.0.1", 0) as server:
        receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
        yield receiver


@pytest.fixture
def studio_settings(settings_with: Callable[..., Settings]) -> Settings:
    return settings_with(studio_port=0, studio_webhook_loopback=True)


async def token(studio: ServedStudio, **order: Any) -> IssuedToken:
    return await studio.core.community.tokens.issue(OPERATOR, TokenOrder("robot", **order))


async def ask(studio: ServedStudio, made: IssuedToken, **more: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {made.token}"}
    async with httpx.AsyncClient(timeout=60, base_url=studio.url, headers=headers) as http:
        return await http.post("/api/v1/jobs", json={**BOAT, **more})


async def told(receiver: Receiver, count: int = 1) -> None:
    async def there() -> bool:
        return len(receiver.got) >= count

    await eventually(there, 30)


async def test_the_end_of_a_job_is_told_signed_and_without_its_words(studio: ServedStudio) -> None:
    made = await token(studio)
    async with receiving() as receiver:
        job = (await ask(studio, made, webhook=receiver.url)).json()
        await told(receiver)

    (headers, body), *others = receiver.got
    signed = f"{headers['clapper-timestamp']}.".encode() + body
    secret = made.row.webhook_secret.encode()
    message = json.loads(body)
    assert others == []
    assert (
        headers["clapper-signature"] == f"v1={hmac.new(secret, signed, hashlib.sha256).hexdigest()}"
    )
    assert (message["type"], message["job"]["id"]) == ("job.succeeded", job["id"])
    assert message["delivery"] == headers["clapper-delivery"]
    assert message["job"]["clip"]["url"] == f"{job['url']}/clip"
    assert b"secret boat" not in body


async def test_a_refused_message_comes_again_with_the_same_id(studio: ServedStudio) -> None:
    made = await token(studio)
    async with receiving("302 Found\r\nLocation: http://127.0.0.1:1/") as receiver:
        await ask(studio, made, webhook=receiver.url)
        await told(receiver, 2)

    assert len({headers["clapper-delivery"] for headers, _ in receiver.got}) == 1
    assert len({json.loads(body)["delivery"] for _, body in receiver.got}) == 1


async def test_a_failure_is_told_with_its_code(
    studio: ServedStudio, executor: QuickExecutor
) -> None:
    executor.faults.append(OutOfMemory())
    made = await token(studio)
    async with receiving() as receiver:
        await ask(studio, made, webhook=receiver.url)
        await told(receiver)

    message = json.loads(receiver.got[0][1])
    assert (message["type"], message["job"]["error"]["code"]) == ("job.failed", "out_of_memory")
    assert message["job"]["clip"] is None


async def test_the_address_of_the_token_is_used_unless_a_job_names_another(
    studio: ServedStudio,
) -> None:
    async with receiving() as usual, receiving() as other:
        made = await token(studio, webhook=usual.url)
        await ask(studio, made)
        await told(usual)
        await ask(studio, made, webhook=other.url)
        await told(other)
        await ask(studio, made, webhook="")
        jobs = studio.core.jobs

        async def done() -> bool:
            return not await jobs.in_order()

        await eventually(done, 30)

    assert (len(usual.got), len(other.got)) == (1, 1)


@pytest.mark.parametrize("way", ["gone", "revoked"])
async def test_what_nobody_wants_is_given_up_in_sight_of_the_operator(
    studio: ServedStudio, executor: QuickExecutor, way: str
) -> None:
    made = await token(studio)
    executor.gate.clear()
    async with receiving("410 Gone") as receiver:
        job = (await ask(studio, made, webhook=receiver.url)).json()["id"]
        if way == "revoked":
            await studio.core.community.tokens.revoke(OPERATOR, "robot")
        executor.gate.set()

        async def dead() -> bool:
            return await studio.core.operators.count_dead_deliveries() == 1

        await eventually(dead, 30)

    (letter,) = await studio.core.operators.dead_deliveries(5)
    assert (letter.job_id, letter.platform, letter.reason) == (job, "webhook", f"webhook_{way}")
    assert len(receiver.got) == (way == "gone")


async def test_an_owed_message_survives_a_restart(
    settings_with: Callable[..., Settings], executor: QuickExecutor
) -> None:
    settings = settings_with(studio_port=0, studio_webhook_loopback=True)
    async with receiving() as receiver:
        async with served(settings, executor) as studio:
            studio.core.router.unregister("webhook")
            job = (await ask(studio, await token(studio), webhook=receiver.url)).json()["id"]

            async def done() -> bool:
                return (await studio.core.jobs.get(job)).state.terminal

            await eventually(done, 30)
        assert receiver.got == []
        async with served(settings, executor):
            await told(receiver)

    assert {json.loads(body)["job"]["id"] for _, body in receiver.got} == {job}


async def test_this_machine_is_told_only_where_the_operator_said_so(
    settings_with: Callable[..., Settings], executor: QuickExecutor
) -> None:
    async with receiving() as receiver, served(settings_with(studio_port=0), executor) as studio:
        made = await token(studio)
        plain = await ask(studio, made, webhook=receiver.url)
        secure = await ask(studio, made, webhook=receiver.url.replace("http:", "https:"))

    assert [one.status_code for one in (plain, secure)] == [422, 422]
    assert plain.json()["data"]["reason"] == "webhook_scheme"
    assert secure.json()["data"]["reason"] == "webhook_address"
    assert receiver.got == []


async def test_what_is_sent_over_tls_wants_a_trusted_certificate_of_the_name(
    tmp_path: Path,
) -> None:
    context, names = certificate(tmp_path, "hook.example"), list[str | None]()
    context.sni_callback = lambda _, name, __: names.append(name)
    receiver = Receiver()
    async with await asyncio.start_server(receiver.answer, "127.0.0.1", 0, ssl=context) as server:
        port = server.sockets[0].getsockname()[1]
        target = WebhookTarget("https", "hook.example", "127.0.0.1", port, "/")
        with pytest.raises(httpx2.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await post(target, WebhookMessage("id", 0, b"{}", "secret"))

    assert names == ["hook.example"]
    assert receiver.got == []
