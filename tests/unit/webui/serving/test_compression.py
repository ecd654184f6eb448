import asyncio
import gzip
from collections.abc import AsyncGenerator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from webui.serving.compression import Compression

LONG = {"text": "clip " * 5000}


async def whole(_: Request) -> Response:
    return JSONResponse(LONG)


async def short(_: Request) -> Response:
    return JSONResponse({})


async def film(_: Request) -> Response:
    return Response(b"0" * 50_000, media_type="video/mp4")


async def part(_: Request) -> Response:
    return Response(b"0" * 5000, 206, {"Content-Range": "bytes 0-4999/9000"}, "text/html")


async def done(_: Request) -> Response:
    return Response(gzip.compress(b"x" * 9000), 200, {"Content-Encoding": "gzip"}, "text/html")


def app() -> Compression:
    routes = [("/whole", whole), ("/short", short), ("/film", film), ("/part", part)]
    routes += [("/done", done)]
    return Compression(Starlette(routes=[Route(path, answer) for path, answer in routes]))


async def ask(path: str, accepted: str) -> httpx.Response:
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app()), base_url="http://x")
    async with client:
        return await client.get(path, headers={"Accept-Encoding": accepted})


@pytest.mark.parametrize("accepted", ["br", "gzip", "gzip, br;q=1.0", "identity"])
async def test_a_text_is_compressed_as_the_client_takes_it(accepted: str) -> None:
    answer = await ask("/whole", accepted)

    assert answer.json() == LONG
    assert ("content-encoding" in answer.headers) == (accepted != "identity")
    assert (int(answer.headers["content-length"]) < 500) == (accepted != "identity")
    assert "Accept-Encoding" in answer.headers["vary"]


@pytest.mark.parametrize("path", ["/short", "/film", "/part"])
async def test_short_answers_films_and_parts_go_out_as_they_are(path: str) -> None:
    assert "content-encoding" not in (await ask(path, "gzip, br")).headers


async def test_what_is_compressed_already_is_not_again() -> None:
    assert (await ask("/done", "gzip, br")).headers["content-encoding"] == "gzip"


async def test_a_stream_is_not_held_back() -> None:
    released = asyncio.Event()
    sent: list[bytes] = []

    async def events() -> AsyncGenerator[bytes]:
        yield b"data: 1\n\n"
        await released.wait()
        yield b"data: 2\n\n"

    async def stream(_: Request) -> Response:
        return StreamingResponse(events(), media_type="application/json")

    async def send(message: dict[str, object]) -> None:
        if message.get("body"):
            sent.append(bytes(message["body"]))  # type: ignore[arg-type]
            released.set()

    async def receive() -> dict[str, object]:
        await asyncio.Event().wait()
        return {}

    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b""}
    scope["headers"] = [(b"accept-encoding", b"br")]  # type: ignore[assignment]
    answering = Compression(Starlette(routes=[Route("/", stream)]))
    await asyncio.wait_for(answering(scope, receive, send), 10)  # type: ignore[arg-type]

    assert sent == [b"data: 1\n\n", b"data: 2\n\n"]
