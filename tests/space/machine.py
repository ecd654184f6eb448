"""The machine of a Space: who owns which folder, which variables are set, and its programs.

The container is built by another user than it runs as: the app, the preloaded models and
``~/.cache`` belong to root and are only read; ``$HOME`` itself can be written.
"""

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from core.models.catalog import LTX_2_3, ModelFile, Profile
from core.models.hub_cache import folder_name
from webui.testing.zerogpu import Lender

USER = 1000  # that a Space runs as
READY = re.compile(r"studio_ready.*url=(\S+?)/?$")
PROBLEM = re.compile(r"problem_page_ready.*url=(\S+?)/?$")
CARD = "NVIDIA RTX PRO 6000 Blackwell Server Edition"
HOST = "somebody-clapper.hf.space"
HERE = Path(__file__).parent
START_S = 400.0  # of a machine that others use as well; most of it is Gradio's import
# what a walk over the disk does not enter: other machines of these tests, and the kernel's
_APART = ("/proc", "/sys", "/dev/pts")


def free_port() -> int:
    """One of those that nobody looks through for a free one, as Gradio does from 7860 on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def stand_in(values: int) -> bytes:
    """A file of weights that holds ``values`` bytes and is one by its format."""
    tensor = {"dtype": "U8", "shape": [values], "data_offsets": [0, values]}
    head = json.dumps({"weight": tensor}).encode()
    return len(head).to_bytes(8, "little") + head + bytes(values)


@dataclass
class Machine:
    """One container, before, between and after its programs."""

    base: Path
    python: Path
    lender: Lender
    variables: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def home(self) -> Path:
        return self.base / "home"

    @property
    def app(self) -> Path:
        return self.base / "app"

    @property
    def preloaded(self) -> Path:
        return self.home / ".cache" / "huggingface" / "hub"

    @property
    def gate(self) -> Path:
        """Where runs report themselves; ``open`` in it lets them go on."""
        return self.home / "gate"

    def prepare(self) -> None:
        """Lay out home, the preloaded cache and what the platform's driver shows."""
        self.base.chmod(0o755)
        self.home.mkdir()
        self.preloaded.mkdir(parents=True)
        os.chown(self.home, USER, USER)
        (self.base / "cgroup").write_text("0::/x\n")
        shutil.copy(HERE / "program.py", self.base / "program.py")
        self.variables = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "PYTHONPATH": str(self.app),
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",  # of the interpreter's own folder, were it ours
            "SYSTEM": "spaces",
            "SPACE_ID": "somebody/clapper",
            "SPACE_HOST": HOST,
            "SPACE_AUTHOR_NAME": "somebody",
            "SPACE_REPO_NAME": "clapper",
            "SPACE_TITLE": "Clapper",
            "ACCELERATOR": "zero-a10g",
            "CPU_CORES": "2",
            "MEMORY": "16Gi",
            "GRADIO_SERVER_NAME": "0.0.0.0",
            "GRADIO_NUM_PORTS": "1",
            "GRADIO_ALLOW_FLAGGING": "never",
            "GRADIO_THEME": "huggingface",
            "SPACES_ZERO_GPU": "true",
            "SPACES_ZERO_DEVICE_API_URL": self.lender.url,
            "ZEROGPU_PROC_SELF_CGROUP_PATH": str(self.base / "cgroup"),
            "OAUTH_CLIENT_ID": "of-the-platform",
            "OAUTH_CLIENT_SECRET": "of-the-platform-too",
            "OAUTH_SCOPES": "openid profile",
            "OPENID_PROVIDER_URL": "http://127.0.0.1:1",
            "HF_ENDPOINT": "http://127.0.0.1:1",
            "SPACE_TEST_CARD": CARD,
            "CLAPPER_STUDIO_PORT": str(free_port()),  # several of them run side by side here
            "CLAPPER_MIN_FREE_MEGABYTES": "0",
        }

    def snapshot(self, file: ModelFile) -> Path:
        """Where the hub's own layout has ``file``."""
        return self.preloaded / folder_name(file.repo) / "snapshots" / file.revision / file.path

    def preload(self, profile: Profile = Profile.FP8) -> None:
        """Lay a small stand-in for every model file into the cache, in the hub's own layout."""
        for number, file in enumerate(LTX_2_3.files_for(None, profile)):
            place = self.snapshot(file)
            blob = self.preloaded / folder_name(file.repo) / "blobs" / f"{number}{profile.value}"
            blob.parent.mkdir(parents=True, exist_ok=True)
            place.parent.mkdir(parents=True, exist_ok=True)
            blob.write_bytes(stand_in(1000 + number))
            if not place.is_symlink():
                place.symlink_to(os.path.relpath(blob, place.parent))
        self.own_by_root()

    def own_by_root(self) -> None:
        """What the image was built with is only read, whoever wrote it here."""
        for root in (self.app, self.home / ".cache"):
            for path in (root, *root.rglob("*")) if root.exists() else ():
                os.chown(path, 0, 0, follow_symlinks=False)
                if not path.is_symlink():
                    path.chmod(0o755 if path.is_dir() else 0o644)

    def close_gate(self) -> None:
        """Let every run stand still inside its lease until :meth:`open_gate`."""
        self.gate.mkdir(exist_ok=True)
        os.chown(self.gate, USER, USER)
        (self.gate / "open").unlink(missing_ok=True)
        self.variables["SPACE_TEST_GATE"] = str(self.gate)

    def open_gate(self) -> None:
        (self.gate / "open").touch()

    def standing(self) -> list[str]:
        """The runs that have come to the gate, as ``job-attempt-process``."""
        return sorted(path.name for path in self.gate.iterdir() if path.name != "open")

    def processes(self) -> list[psutil.Process]:
        """Everything of the Space's user that belongs to this machine."""
        found: list[psutil.Process] = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.uids().real == USER and process.environ().get("HOME") == str(self.home):
                    found.append(process)
        return found

    def written(self, since: float) -> Iterator[Path]:
        """Every file and folder of the Space's user outside its home, changed after ``since``."""
        skipped = [str(self.home), *_APART]
        prune = [part for path in skipped for part in ("-path", path, "-o")][:-1]
        mark = self.base / "mark"
        mark.touch()
        os.utime(mark, (since, since))
        command = ["find", "/", "-xdev", "(", *prune, ")", "-prune", "-o"]
        for place in ("/", "/dev/shm"):  # another file system
            command[1] = place
            told = [*command, "-uid", str(USER), "-newer", str(mark), "-print"]
            found = subprocess.run(told, capture_output=True, text=True, check=False).stdout
            for line in found.splitlines():
                other = re.search(r"/clapper-space-\w+", line)
                if other is None or line.startswith(str(self.base)):
                    yield Path(line)

    @asynccontextmanager
    async def running(
        self, how: re.Pattern[str] = READY, **variables: str
    ) -> AsyncGenerator["Running"]:
        """Run the Space until its page answers, and stop it at the end of the block.

        Args:
            how: what it says then.
            variables: over those of the machine; an empty one is not set.

        Raises:
            Ended: the program ended before; with what it said.
        """
        process = await self.start(**variables)
        try:
            await process.ready(how)
            yield process
        finally:
            await process.stop()

    async def start(self, **variables: str) -> "Running":
        environ = {**self.variables, **variables}
        process = await asyncio.create_subprocess_exec(
            *(str(self.python), str(self.base / "program.py")),
            cwd=self.app,
            env={name: value for name, value in environ.items() if value},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            stdin=asyncio.subprocess.DEVNULL,
            user=USER,
            group=USER,
            extra_groups=[],
            umask=0o022,
        )
        return Running(self, process)


class Ended(AssertionError):
    """The program of the Space ended by itself."""


class Running:
    """The program of a Space."""

    def __init__(self, machine: Machine, process: asyncio.subprocess.Process) -> None:
        self.machine = machine
        self.process = process
        self.said: list[str] = []
        self.url = ""
        self.late = False  # it did not stop by itself
        self.left: list[psutil.Process] = []  # that outlived the main process
        self._spoke = asyncio.Event()
        self._listening = asyncio.create_task(self._listen())

    @property
    def log(self) -> str:
        return "\n".join(self.said)

    def broke(self) -> list[str]:
        """What the log shows of errors that nobody caught."""
        at = [number for number, line in enumerate(self.said) if "Traceback" in line]
        return ["\n".join(self.said[number - 2 : number + 25]) for number in at]

    async def ready(self, how: re.Pattern[str] = READY) -> None:
        found = how.search(await self.says(how))
        assert found is not None
        self.url = found[1].replace("localhost", "127.0.0.1").replace("0.0.0.0", "127.0.0.1")

    async def says(self, what: re.Pattern[str] | str) -> str:
        """Wait for a line of the log.

        Raises:
            Ended: the program ended before.
        """
        async with asyncio.timeout(START_S):
            while True:
                line = next((line for line in self.said if re.search(what, line)), None)
                if line is not None:
                    return line
                if self._listening.done():
                    raise Ended("\n".join(self.said[-60:]))
                self._spoke.clear()
                spoke = asyncio.create_task(self._spoke.wait())
                await asyncio.wait({spoke, self._listening}, return_when="FIRST_COMPLETED")
                spoke.cancel()

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop the main process; what it has left behind after 10 s is noted, and ended."""
        if self.process.returncode is None:
            self.process.send_signal(how)
        with suppress(TimeoutError):
            await asyncio.wait_for(self.process.wait(), 30)
        if self.process.returncode is None:
            self.late = True
            self.process.kill()
            await self.process.wait()
        _, self.left = await asyncio.to_thread(psutil.wait_procs, self.machine.processes(), 10)
        for process in self.left:
            with suppress(psutil.Error):
                process.kill()
        await self._listening

    async def _listen(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.said.append(line.decode(errors="replace").rstrip())
            self._spoke.set()

    def visitor(self, name: str, **headers: str) -> "Visitor":
        return Visitor(self, name, headers)


class Visitor:
    """Somebody with a browser or program, and the token that the platform's proxy gives them."""

    def __init__(self, space: Running, name: str, headers: dict[str, str]) -> None:
        self.space = space
        self.name = name
        self.token = ""  # the same with every request; empty: a new one each
        sent = {
            "x-clapper-key": f"the secret of {name}, which is long",
            "x-forwarded-for": f"203.0.113.{sum(name.encode()) % 200 + 1}",
            "x-clapper": "1",
            **headers,
        }
        shown = {key: value for key, value in sent.items() if value}
        self.http = httpx.AsyncClient(base_url=space.url, headers=shown, timeout=60)

    async def __aenter__(self) -> "Visitor":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()

    @property
    def proxied(self) -> dict[str, str]:
        """What the platform's proxy adds to each request."""
        return {"x-ip-token": self.token or self.space.machine.lender.token(self.name)}

    async def upload(self, path: Path) -> dict[str, object]:
        content = await asyncio.to_thread(path.read_bytes)
        sent = await self.http.post("/gradio_api/upload", files={"files": (path.name, content)})
        return {"path": sent.json()[0], "meta": {"_type": "gradio.FileData"}}

    async def ask(self, mode: str = "t2v", *media: object, seconds: float = 1.0) -> str:
        """Ask for the smallest clip through the page's API; return its job."""
        options = ["fast", None, seconds, None, "none", 256, 256, None, ""]
        if mode == "lipsync":
            options[2] = None  # as long as the sound
        data = {"data": [*media, "a boat leaves", *options]}
        address = f"/gradio_api/call/{mode}"
        sent = await self.http.post(address, json=data, headers=self.proxied)
        event = sent.json()["event_id"]
        said = (await self.http.get(f"{address}/{event}", headers=self.proxied)).text
        assert "event: complete" in said, said
        return said.partition('"job":')[2].strip(' "')[:32]

    async def state(self, job: str = "") -> dict[str, object]:
        answer = await self.http.get(f"/studio/state?job={job}", headers=self.proxied)
        return answer.json()

    async def over(self, job: str, within_s: float = 300.0) -> dict[str, object]:
        """Wait until ``job`` has ended, as the page does: by asking."""
        async with asyncio.timeout(within_s):
            while True:
                found = (await self.state(job))["job"]
                assert isinstance(found, dict)
                if not found["live"]:
                    return found
                await asyncio.sleep(0.1)

    async def made(self, job: str) -> bytes:
        """Wait for the clip of ``job`` and return its file."""
        found = await self.over(job)
        told = found["error"], self.space.said[-40:], self.space.machine.lender.leases
        assert found["state"] == "succeeded", "\n".join(map(str, told))
        return await self.clip(job)

    async def clip(self, job: str) -> bytes:
        answer = await self.http.get(f"/clips/{job}.mp4")
        assert answer.status_code == 200, answer.text
        return answer.content
