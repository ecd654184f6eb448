"""Fronts and workers as processes of the real command, on one PostgreSQL and one folder."""

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from core.app.bootstrap import open_core
from core.app.core import Core
from core.domain.nodes import NodeRole
from core.settings import Settings
from core.testing.doubles import RecordingDelivery, eventually
from tests.conftest import settings_in
from tests.support.postgres import PostgresServer
from tests.support.programs import MAIN
from tests.support.settings import changed

ROOT = Path(__file__).resolve().parents[3]
LEASE = {"LEASE_S": "2", "HEARTBEAT_S": "0.4"}


class Town:
    """What the processes share, and those that a test started."""

    def __init__(self, folder: Path, server: PostgresServer) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.server = server
        self.url = server.url()
        self.processes: list[subprocess.Popen[bytes]] = []

    def environment(self, **more: str) -> dict[str, str]:
        ours = {
            "DATA_DIR": str(self.data),
            "DATABASE_URL": self.url,
            "ARTEFACTS_SHARED": "true",
            "EXECUTOR": "draft",
            "STUDIO_PORT": "0",
            "PROGRESS_EVERY_S": "0.05",
            "MIN_FREE_MEGABYTES": "0",
            "QUOTA_MINUTES": "1000",
            "ENV_FILE": os.devnull,
        }
        named = {f"CLAPPER_{name}": value for name, value in (ours | LEASE | more).items()}
        inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return inherited | named

    def start(self, *command: str, **more: str) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{command[0]}-{len(self.processes)}.log").open("wb")
        with log:
            process = subprocess.Popen(
                [*MAIN, *command], cwd=ROOT, env=self.environment(**more), stdout=log, stderr=log
            )
        self.processes.append(process)
        return process

    def run(self, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*MAIN, *command],
            cwd=ROOT,
            env=self.environment(**more),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def log(self) -> str:
        return "\n".join(
            f"== {path.name}\n{path.read_text('utf-8', 'replace')}"
            for path in sorted(self.folder.glob("*.log"))
        )

    def nodes(self) -> list[dict[str, object]]:
        found = self.run("nodes", "--json", DATA_DIR=str(self.folder / "elsewhere"))
        assert found.returncode == 0, found.stderr
        return json.loads(found.stdout)["nodes"]

    def ready(self) -> set[str]:
        """The roles of nodes that are ready."""
        with self.server.connect() as rows:
            found = rows.execute("SELECT role FROM node WHERE state = 'ready'")
            return {role for (role,) in found}

    def kill(self) -> None:
        for process in self.processes:
            process.send_signal(signal.SIGKILL)
            process.wait()

    def settings(self, **more: object) -> Settings:
        settings = settings_in(self.folder, database_url=self.url)
        values = {"artefacts_shared": True, "lease_s": 2.0, "heartbeat_s": 0.4, **more}
        return changed(settings, **values)


@pytest.fixture
def town(tmp_path: Path, clean_environment: None, postgres_server) -> Iterator[Town]:
    postgres_server.empty()
    made = Town(tmp_path, postgres_server)
    yield made
    made.kill()


@pytest.fixture
def open_front(town: Town, delivery: RecordingDelivery):
    """Open a front node in this process, and run it."""

    @asynccontextmanager
    async def opened() -> AsyncGenerator[Core]:
        async with open_core(town.settings(), role=NodeRole.FRONT) as core:
            core.router.register(delivery)
            stop = asyncio.Event()
            running = asyncio.create_task(core.run(stop))
            try:
                yield core
            finally:
                stop.set()
                await running

    return opened


@pytest.fixture
def until() -> Callable[..., object]:
    async def holds(look, within_s: float = 60.0) -> None:
        async def held() -> bool:
            return bool(await look())

        await eventually(held, within_s)

    return holds
