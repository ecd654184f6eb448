"""A service of this process that serves, with its control socket, and commands as programs."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.app.bootstrap import open_core
from core.app.core import Core
from core.app.operation import operated
from core.settings import Settings
from core.testing.doubles import QuickExecutor
from tests.support.databases import place_database_of
from tests.support.programs import MAIN

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Ended:
    """What a program printed, and its status."""

    status: int
    out: str
    err: str


@dataclass
class Program:
    """A command that runs."""

    process: asyncio.subprocess.Process

    async def line(self, part: str) -> str:
        """Read standard output up to the line that holds ``part``."""
        assert self.process.stdout is not None
        while line := (await self.process.stdout.readline()).decode():
            if part in line:
                return line
        raise AssertionError(part)

    async def end(self) -> Ended:
        out, err = await self.process.communicate()
        return Ended(self.process.returncode or 0, out.decode(), err.decode())


Start = Callable[..., Coroutine[None, None, Program]]
Run = Callable[..., Coroutine[None, None, Ended]]


@pytest.fixture
def start(settings: Settings, tmp_path: Path) -> Start:
    """Start one command on the data directory of the service, in a folder of its own."""
    folder = tmp_path / "here"
    folder.mkdir(exist_ok=True)

    async def start(*arguments: object) -> Program:
        process = await asyncio.create_subprocess_exec(
            *MAIN,
            *map(str, arguments),
            cwd=folder,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "COLUMNS": "200",
                "CLAPPER_DATA_DIR": str(settings.data_dir),
                "CLAPPER_EXECUTOR": "draft",
                "CLAPPER_MIN_FREE_MEGABYTES": "0",
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        return Program(process)

    return start


@pytest.fixture
def run(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run one command to its end, in a thread of this process: starting a program takes seconds."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("CLAPPER_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("CLAPPER_EXECUTOR", "draft")
    monkeypatch.setenv("CLAPPER_MIN_FREE_MEGABYTES", "0")
    (tmp_path / "here").mkdir(exist_ok=True)
    monkeypatch.chdir(tmp_path / "here")

    async def run(*arguments: object) -> Ended:
        from core.cli.app import APP

        texts = [str(item) for item in arguments]
        result = await asyncio.to_thread(CliRunner().invoke, APP, texts)
        return Ended(result.exit_code, result.stdout, result.stderr)

    return run


@asynccontextmanager
async def serving(settings: Settings, executor: QuickExecutor) -> AsyncGenerator[Core]:
    """The core as ``clapper serve`` runs it, without fronts."""
    stop = asyncio.Event()
    place_database_of(settings)
    async with open_core(settings, executor) as core, operated(core, lambda _: None):
        working = asyncio.create_task(core.run(stop))
        try:
            yield core
        finally:
            stop.set()
            await working


@pytest.fixture
def executor() -> QuickExecutor:
    return QuickExecutor()


@pytest.fixture
async def service(settings: Settings, executor: QuickExecutor) -> AsyncGenerator[Core]:
    async with serving(settings, executor) as core:
        yield core
