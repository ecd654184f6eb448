"""A running ``clapper serve`` and what stands around it: a program, its receiver, who watches."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from core.accounts.program_tokens import TokenOrder
from core.app.bootstrap import open_core
from core.domain.people import Requester
from core.settings import PROJECT_ROOT, load_settings
from core.storage.invariants import check
from core.testing.doubles import QuickExecutor, eventually
from tests.torture.board import Board

BOAT = {"mode": "t2v", "prompt": "a boat", "width": 256, "height": 256, "fps": 8, "seconds": 1}
OPERATOR = Requester("cli", "tester")
WITHIN_S = 120.0  # a busy machine starts a life in
PROGRAM = Path(__file__).with_name("serving.py")


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        return server.getsockname()[1]


@dataclass
class Receiver:
    """A program's own server: keeps which messages of which job came."""

    url: str = ""
    got: dict[str, set[str]] = field(default_factory=dict[str, set[str]])  # deliveries of a job
    kinds: Counter[str] = field(default_factory=Counter[str])
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):  # the sender was killed
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.partition("content-length:")[2].split()[0])
            message = json.loads(await reader.readexactly(length))
            known = self.got.setdefault(message["job"]["id"], set())
            self.kinds[message["type"]] += message["delivery"] not in known
            known.add(message["delivery"])
            self.news.set()
            writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
            await writer.drain()
        writer.close()

    async def told(self, job_id: str) -> None:
        """Wait until the end of the job was told."""
        async with asyncio.timeout(WITHIN_S):
            while job_id not in self.got:
                self.news.clear()
                await self.news.wait()


@asynccontextmanager
async def receiving() -> AsyncGenerator[Receiver]:
    receiver = Receiver()
    async with await asyncio.start_server(receiver.answer, "127.0.0.1", 0) as server:
        receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
        yield receiver


@dataclass
class Seen:
    """What a watchdog saw while it asked again and again."""

    live: int = 0
    dead: int = 0  # answers of ``/livez`` that say so, or none at all
    troubles: Counter[str] = field(default_factory=Counter[str])


class Served:
    """The service in its lives, and a program that uses it."""

    def __init__(
        self, folder: Path, preload: Path, receiver: Receiver, counts: Counter[str]
    ) -> None:
        self.folder, self.receiver, self.counts = folder, receiver, counts
        self.board = Board(folder / "board")
        self.jobs: dict[str, str] = {}  # by key
        self.refusals: Counter[tuple[int, str, str]] = Counter()  # status, code, reason
        self.codes: list[int] = []  # of lives that ended by themselves
        self._http = httpx.AsyncClient(timeout=30)
        self._studio = f"http://127.0.0.1:{(studio := free_port())}/api/v1"
        self._health = f"http://127.0.0.1:{(health := free_port())}"
        self._preload = preload
        self._ports = {"STUDIO_PORT": str(studio), "HEALTH_PORT": str(health)}

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    async def begin(self) -> None:
        """Give the program its token and start the service."""
        settings = load_settings(data_dir=self.data, executor="draft", min_free_megabytes=0)
        async with open_core(settings, QuickExecutor()) as core:
            order = TokenOrder("robot", webhook=self.receiver.url)
            issued = await core.community.tokens.issue(OPERATOR, order)
        self._http.headers["Authorization"] = f"Bearer {issued.token}"
        self._start()
        assert await self._answer() == "ready"
        await self.serve()

    def _start(self) -> None:
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(PROGRAM)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
                env=self._environment(), cwd=PROJECT_ROOT,
            )  # fmt: skip

    def _environment(self) -> dict[str, str]:
        settings = self._ports | {
            "DATA_DIR": str(self.data),
            "EXECUTOR": "draft",
            "STUDIO_WEBHOOK_LOOPBACK": "true",
            "QUOTA_MINUTES": "100000",
            "MIN_FREE_MEGABYTES": "0",
            "HEARTBEAT_S": "0.3",
            "MAX_ATTEMPTS": "1000",
        }
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "LD_PRELOAD": str(self._preload),
            "TORTURE_BOARD": str(self.folder / "board"),
        } | {f"CLAPPER_{name}": value for name, value in settings.items()}

    async def _answer(self) -> str:
        assert self.process.stdout
        return (await asyncio.to_thread(self.process.stdout.readline)).strip()

    async def serve(self) -> None:
        """Let the service live until :meth:`stop`, or until it ends by itself."""
        assert self.process.stdin
        self.process.stdin.write("serve\n")
        self.process.stdin.flush()
        self.living = asyncio.create_task(self._answer())

    async def ready(self) -> None:
        """Wait until the service says that all is well; one that did not start is started anew."""

        async def well() -> bool:
            if self.living.done():
                self.codes.append(int(self.living.result()))
                await self.serve()
            answer = await self.probe("readyz")
            return answer is not None and answer.status_code == 200

        await eventually(well, WITHIN_S)

    async def probe(self, name: str) -> httpx.Response | None:
        """Ask ``/livez`` or ``/readyz``; None where nobody listens."""
        try:
            return await self._http.get(f"{self._health}/{name}")
        except httpx.TransportError:
            return None

    @asynccontextmanager
    async def watched(self) -> AsyncGenerator[Seen]:
        """Ask both probes again and again inside the block."""
        seen = Seen()

        async def watch() -> None:
            while True:
                live, ready = await self.probe("livez"), await self.probe("readyz")
                well = live is not None and live.status_code == 200
                seen.live, seen.dead = seen.live + well, seen.dead + (not well)
                seen.troubles.update(ready.json()["troubles"] if ready else ())
                await asyncio.sleep(0.1)

        watching = asyncio.create_task(watch())
        yield seen
        watching.cancel()
        assert seen.live, "nobody looked"

    async def ask(self, key: str) -> httpx.Response | None:
        """Submit the job of ``key``; None where there was no answer."""
        try:
            answer = await self._http.post(
                f"{self._studio}/jobs",
                json={**BOAT, "seed": len(self.jobs)},
                headers={"Idempotency-Key": key},
            )
        except httpx.TransportError:
            return None
        if answer.status_code in (200, 201):
            assert self.jobs.setdefault(key, answer.json()["id"]) == answer.json()["id"]
        else:
            problem = answer.json()
            reason = str(problem["data"].get("reason", ""))
            self.refusals[answer.status_code, problem["code"], reason] += 1
            assert "retry-after" in answer.headers
        return answer

    async def accepted(self, key: str) -> str:
        """Submit until there is an id, as a program does that has read docs/api.md."""

        async def there() -> bool:
            await self.ask(key)
            if self.living.done():
                await self.ready()
            return key in self.jobs

        await eventually(there, WITHIN_S)
        return self.jobs[key]

    async def cancelled(self, job_id: str) -> None:
        """Cancel the job, unless it is over, until there is an answer."""

        async def answered() -> bool:
            with suppress(httpx.TransportError):
                answer = await self._http.delete(f"{self._studio}/jobs/{job_id}")
                assert answer.status_code in (200, 409, 503), answer.text
                return answer.status_code != 503
            return False

        await eventually(answered, WITHIN_S)

    async def stop(self) -> int:
        """End the service with SIGTERM; return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return int(await self.living)

    async def end(self) -> None:
        if self.process.poll() is None:
            assert self.process.stdin
            self.process.stdin.close()
            self.process.send_signal(signal.SIGTERM)
            await asyncio.to_thread(self.process.wait, 60)
        assert self.process.stdout
        self.process.stdout.close()
        await self._http.aclose()

    async def assert_whole(self) -> None:
        """Nothing lost, nothing doubled, nothing left over, and the ledger adds up."""
        ids = set(self.jobs.values())
        assert len(ids) == len(self.jobs)
        assert set(self.receiver.got) == ids
        assert {len(deliveries) for deliveries in self.receiver.got.values()} == {1}
        kinds = self.receiver.kinds
        assert kinds["job.succeeded"] + kinds["job.cancelled"] == kinds.total() == len(ids), kinds
        settings = load_settings(data_dir=self.data, executor="draft", min_free_megabytes=0)
        async with open_core(settings, QuickExecutor()) as core:
            async with core.database.transaction() as connection:
                assert await check(connection) == []
            jobs = [await core.jobs.get(job_id) for job_id in ids]
            clips = {job.clip.path for job in jobs if job.clip}
            assert len(clips) == kinds["job.succeeded"]
            assert set(settings.clips_folder.glob("*.mp4")) == clips, "a clip that no row names"
            outbox = await core.outbox.counts()
            assert (outbox.sent, outbox.pending, outbox.sending, outbox.dead) == (len(ids), 0, 0, 0)
