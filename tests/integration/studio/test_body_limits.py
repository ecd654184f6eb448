"""Bodies that never say how long they are: ended at the limit, read no further, told why."""

from collections.abc import AsyncGenerator, Callable, Iterator

import httpx
import pytest

from core.settings import Settings
from core.testing.doubles import QuickExecutor
from webui.serving.body_limit import MOST_BYTES
from webui.testing.server import served

STANDING = pytest.mark.asyncio(loop_scope="module")
FORM = {"content-type": "multipart/form-data; boundary=B"}
FILE_BYTES = 10_000


async def chunks(parts: Iterator[bytes]) -> AsyncGenerator[bytes]:
    for part in parts:
        yield part


def text(count: int) -> Iterator[bytes]:
    yield b'{"data": ["'
    yield from (b"x" * 1000 for _ in range(count // 1000))
    yield b'"], "session_hash": "abc", "fn_index": 0}'


@STANDING
@pytest.mark.parametrize(
    "path",
    [
        *("queue/join", "call/t2v", "call/v2/t2v", "run/t2v", "api/t2v", "cancel", "reset"),
        *("run/status", "call/cancel"),
    ],
)
async def test_what_gradio_would_read_whole_ends_at_the_limit(
    passer_by: httpx.AsyncClient, path: str
) -> None:
    path = f"/gradio_api/{path}"
    json = {"content-type": "application/json"}
    for _ in range(2):  # the connection that was cut off is no trouble to the next one
        answer = await passer_by.post(path, content=chunks(text(2 * MOST_BYTES)), headers=json)
        assert (answer.status_code, answer.json()["error"]) == (413, "request_too_large")
    declared = await passer_by.post(path, content=b"x" * (MOST_BYTES + 1), headers=json)
    small = await passer_by.post(path, content=chunks(text(1000)), headers=json)

    assert (declared.status_code, declared.json()["error"]) == (413, "request_too_large")
    assert "at most 1" in declared.json()["detail"]
    assert small.status_code != 413


def field() -> Iterator[bytes]:
    yield b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n'
    yield from (b"x" * 1000 for _ in range(50))
    yield b"\r\n--B--\r\n"


def files() -> Iterator[bytes]:
    for number in range(10):
        yield (
            b'--B\r\nContent-Disposition: form-data; name="files"; filename="%d.png"\r\n\r\n'
            % number
        )
        yield b"%d" % number * 5000 + b"\r\n"
    yield b"--B--\r\n"


async def test_an_upload_is_as_large_as_its_largest_file_however_it_is_split(
    settings_with: Callable[..., Settings], executor: QuickExecutor
) -> None:
    settings = settings_with(studio_port=0, media_megabytes=FILE_BYTES / 1e6)
    async with (
        served(settings, executor) as studio,
        httpx.AsyncClient(timeout=60, base_url=studio.url) as http,
    ):
        declared = await http.post("/gradio_api/upload", files={"files": b"x" * 50_000})
        answers = [
            await http.post("/gradio_api/upload", content=chunks(parts), headers=FORM)
            for parts in (field(), files())
        ]
        small = await http.post("/gradio_api/upload", files={"files": b"x" * 5_000})

    assert [one.status_code for one in (declared, *answers)] == [413, 413, 413]
    assert all("at most" in one.text for one in (declared, *answers))
    assert small.status_code == 200
