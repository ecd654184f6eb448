"""Real ``clapper serve`` processes at one PostgreSQL and one folder."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from core.testing.doubles import eventually
from tests.support.postgres import PostgresServer
from tests.support.programs import MAIN

ROOT = Path(__file__).resolve().parents[2]
START_S, FAR_S = 90.0, 60.0
COMMON = {
    "ARTEFACTS_SHARED": "true",
    "EXECUTOR": "draft",
    "STUDIO": "false",
    "SUPERVISE": "false",
    "MIN_FREE_MEGABYTES": "0",
    "QUOTA_MINUTES": "1000",
    "PROGRESS_EVERY_S": "0.05",
}


class NodeProcess:
    """One of the processes; its log tells what it does."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        folder.mkdir()
        self._log = folder / "log"
        inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        ours = {f"CLAPPER_{name}": value for name, value in environment.items()}
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*MAIN, "serve"],
                cwd=ROOT,
                env=inherited | ours | {"CLAPPER_DATA_DIR": str(folder.parent / "data")},
                stdout=log,
                stderr=log,
            )

    @property
    def log(self) -> str:
        return self._log.read_text()

    async def said(self, words: str, times: int = 1, within_s: float = START_S) -> None:
        """Wait until so many lines of the log match the regular expression ``words``."""

        async def there() -> bool:
            assert self.process.poll() is None, self.log
            return len(re.findall(words, self.log)) >= times

        await eventually(there, within_s)

    def send(self, number: signal.Signals) -> float:
        """Send a signal; return when, on the clock of :func:`time.monotonic`."""
        self.process.send_signal(number)
        return time.monotonic()

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait(10)


def tell(what: str, seconds: float) -> None:
    """Print how long it took until another node held something."""
    sys.stdout.write(f"{what}: held by another node after {seconds:.2f} s\n")


@asynccontextmanager
async def nodes(
    server: PostgresServer, folder: Path, **settings: str
) -> AsyncGenerator[Callable[[str], NodeProcess]]:
    """Give what starts a node by its name; all of them are gone at the end."""
    server.empty()
    begun: list[NodeProcess] = []

    def start(name: str) -> NodeProcess:
        environment = COMMON | {"DATABASE_URL": server.url()} | settings
        begun.append(NodeProcess(folder / name, environment))
        return begun[-1]

    try:
        yield start
    finally:
        for node in begun:
            node.end()
