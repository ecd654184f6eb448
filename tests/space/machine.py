"""The machine of a Space: who owns which folder, which variables are set, and its programs.

The container is built by another user than it runs as: the app, the preloaded models and
``~/.cache`` belong to root and are only read; ``$HOME`` itself can be written.
"""

import asyncio
import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from core.models.catalog import LTX_2_3, ModelFile, Profile
from core.models.hub_cache import folder_name
from tests.space.running import READY, Running
from webui.testing.zerogpu import Lender

USER = 1000  # that a Space runs as
CARD = "NVIDIA RTX PRO 6000 Blackwell Server Edition"
HOST = "somebody-clapper.hf.space"
HERE = Path(__file__).parent
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
    ) -> AsyncGenerator[Running]:
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

    async def start(self, **variables: str) -> Running:
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
