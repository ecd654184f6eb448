"""What visitors send, over refusals, deletions and the hardest end of the process."""

import asyncio
import os
import re
from base64 import b64encode
from pathlib import Path

import httpx
import pytest
from PIL import Image

from core.settings import PROJECT_ROOT, Settings
from core.testing.doubles import QuickExecutor
from tests.support.programs import MAIN
from tests.support.settings import changed
from webui.testing.server import ServedStudio

READY = re.compile(r"studio_ready.*url=(\S+?)/?$")
MARK = b"a mark that only the sent bytes have"
MCP = {
    "x-clapper-key": "the secret of the first agent",
    "accept": "application/json, text/event-stream",
}


@pytest.fixture
def studio_settings(settings: Settings) -> Settings:
    return changed(settings, studio_port=0, studio_mcp=True)


def marked(path: Path) -> Path:
    Image.new("RGB", (64, 64), "red").save(path, comment=MARK)
    return path


def marks_below(folder: Path) -> list[Path]:
    return [p for p in folder.rglob("*") if p.is_file() and MARK in p.read_bytes()]


async def send(url: str, file: Path, key: str = "a key of enough letters") -> str:
    async with httpx.AsyncClient(timeout=60, headers={"x-clapper-key": key}) as http:
        with file.open("rb") as content:
            answer = await http.post(f"{url}/gradio_api/upload", files={"files": content})
    return answer.json()[0]


async def life(folder: Path, sent: Path | None = None) -> None:
    """Run the Studio as a program; send a file, then kill it outright."""
    variables = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "CLAPPER_DATA_DIR": str(folder / "data"),
        "CLAPPER_EXECUTOR": "draft",
        "CLAPPER_STUDIO_PORT": "0",
        "CLAPPER_MIN_FREE_MEGABYTES": "0",
    }
    process = await asyncio.create_subprocess_exec(
        *(*MAIN, "serve", "--studio-only"),
        env=variables,
        cwd=PROJECT_ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    async with asyncio.timeout(200):
        async for line in process.stdout:
            if found := READY.search(line.decode().rstrip()):
                if sent is not None:
                    await send(found[1], sent)
                process.kill()
        await process.wait()


async def test_what_nobody_holds_is_gone_after_a_kill_and_a_start(tmp_path: Path) -> None:
    data, picture = tmp_path / "data", marked(tmp_path / "p.jpg")
    await life(tmp_path, picture)
    assert marks_below(data)
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(data / "clapper.sqlite")) as database, database:
        database.execute("UPDATE file_hold SET until_ms = 1")  # a day later

    await life(tmp_path)

    assert marks_below(data) == []


async def test_refused_calls_of_agents_leave_nothing(
    studio: ServedStudio, studio_settings: Settings
) -> None:
    junk = "data:image/png;base64," + b64encode(b"junk" * 100_000).decode()
    call = {"name": "i2v", "arguments": {"image": junk, "prompt": "a boat"}}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    async with httpx.AsyncClient(timeout=60, headers=MCP) as http:
        answer = (await http.post(f"{studio.url}/mcp", json=body)).json()

    assert answer["result"]["isError"]
    left = [
        path
        for name in ("studio", "media", "work")
        for path in (studio_settings.data_dir / name).rglob("*")
        if path.is_file()
    ]
    assert left == []


async def test_generating_again_after_a_deletion_works_while_the_upload_is_there(
    studio: ServedStudio, executor: QuickExecutor, tmp_path: Path
) -> None:
    path = await send(studio.url, marked(tmp_path / "p.jpg"), MCP["x-clapper-key"])
    call = {"name": "i2v", "arguments": {"image": path, "prompt": "a boat", "seconds": 1.0}}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    jobs: list[str] = []
    async with httpx.AsyncClient(timeout=60, headers=MCP) as http:
        for _ in range(2):
            answer = (await http.post(f"{studio.url}/mcp", json=body)).json()["result"]
            assert not answer["isError"], answer
            jobs.append(answer["structuredContent"]["job"])
            media = studio.core.settings.media_folder
            assert len([file for file in media.iterdir() if file.suffix == ".png"]) == 1
            await studio.core.cancellation.delete(await studio.core.jobs.get(jobs[-1]))

    assert len(set(jobs)) == 2
