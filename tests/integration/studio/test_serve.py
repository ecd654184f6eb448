"""``clapper serve --studio-only`` as a program: where it listens, and what it says about that."""

import asyncio
import os
import re
import signal
from pathlib import Path

import httpx
import pytest

from core.settings import PROJECT_ROOT, Settings
from core.testing.doubles import QuickExecutor
from tests.support.programs import MAIN
from webui.testing.server import served

READY = re.compile(r"studio_ready.*url=(\S+?)/?$")


async def said_by(folder: Path, *flags: str) -> tuple[str, int, int | None]:
    """Start on any free port and stop; return what was said, the page's status, the exit status."""
    variables = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "CLAPPER_DATA_DIR": str(folder / "data"),
        "CLAPPER_EXECUTOR": "draft",
        "CLAPPER_STUDIO_PORT": "0",
        "CLAPPER_MIN_FREE_MEGABYTES": "0",
        "CLAPPER_DISCORD_TOKEN": "not.used.here",
    }
    process = await asyncio.create_subprocess_exec(
        *MAIN,
        *("serve", "--studio-only", *flags),
        env=variables,
        cwd=PROJECT_ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    said, status = "", 0
    async with asyncio.timeout(200):
        async for line in process.stdout:
            said += line.decode()
            if found := READY.search(line.decode().rstrip()):
                async with httpx.AsyncClient(timeout=60) as http:
                    status = (await http.get(found[1] + "/healthz")).status_code
                process.send_signal(signal.SIGINT)
        await process.wait()
    return said, status, process.returncode


async def test_it_listens_on_this_machine_alone_unless_told_otherwise(tmp_path: Path) -> None:
    said, status, code = await said_by(tmp_path)

    assert (status, code) == (200, 0)
    assert "127.0.0.1" in said
    assert "studio_open_to_network" not in said
    assert "Discord is not configured" in said


async def test_opening_it_to_the_network_takes_a_flag_and_warns(tmp_path: Path) -> None:
    said, status, code = await said_by(tmp_path, "--lan")

    assert (status, code) == (200, 0)
    assert "studio_open_to_network" in said
    assert "CLAPPER_STUDIO_USERS" in said


async def test_it_starts_where_its_page_takes_longer_than_gradio_waits_for_it(
    studio_settings: Settings, executor: QuickExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gradio.networking.url_ok", lambda url: False)  # after 3 s

    async with served(studio_settings, executor) as studio, httpx.AsyncClient(timeout=60) as http:
        assert (await http.get(f"{studio.url}/healthz")).status_code == 200
