"""The generated Space folder, started as a Space starts it: a program of its own, and its own home.

ComfyUI comes from a repository on this disk, at the commit that the folder's own pins name.
"""

import asyncio
import json
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from core.cli.space import APP
from core.comfy.install.pins import load_pins
from core.storage.lock import lock
from core.testing.doubles import eventually
from webui.testing.zerogpu import Lender, lending

SMALL = ["a boat", "fast", None, 1.0, None, "none", 256, 256, None, "", None]
READY = re.compile(r"studio_ready.*url=(\S+?)/?$")
PROBLEM = re.compile(r"problem_page_ready.*url=(\S+?)/?$")


@dataclass
class Running:
    """The program of a Space."""

    http: httpx.AsyncClient
    said: list[str]
    home: Path

    async def heard(self, pattern: re.Pattern[str]) -> str:
        """Wait for a line of the log; return what it names."""

        async def found() -> bool:
            return any(pattern.search(line) for line in self.said)

        await eventually(found, 240)
        return next(match[1] for line in self.said if (match := pattern.search(line)))


@pytest.fixture
def lender() -> Generator[Lender]:
    with lending() as running:
        yield running


def git(folder: Path, *arguments: str) -> str:
    name = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org")
    command = ["git", *name, "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def comfyui(tmp_path: Path) -> tuple[str, str]:
    """A repository with the least that is ComfyUI, and its commit."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "comfyui_version.py").write_text(f'__version__ = "{load_pins().version}"\n')
    git(source, "init", "--quiet")
    git(source, "add", ".")
    git(source, "commit", "--quiet", "--message", "the pinned one")
    pinned = git(source, "rev-parse", "HEAD")
    (source / "later.py").touch()  # the branch goes on; the pin does not
    git(source, "add", ".")
    git(source, "commit", "--quiet", "--message", "a later one")
    git(tmp_path, "clone", "--quiet", "--bare", str(source), str(tmp_path / "comfyui.git"))
    return (tmp_path / "comfyui.git").as_uri(), pinned


@pytest.fixture
def folder(tmp_path: Path, comfyui: tuple[str, str]) -> Path:
    """The folder as `clapper space build` writes it, with pins to the repository of the test."""
    target = tmp_path / "space"
    built = CliRunner().invoke(APP, ["build", "--out", str(target)])
    assert built.exit_code == 0, built.output
    pins, ours = target / "comfyui" / "pins.toml", load_pins().comfyui
    text = pins.read_text("utf-8")
    text = text.replace(ours.repository, comfyui[0]).replace(ours.commit, comfyui[1])
    pins.write_text(text, "utf-8")
    return target


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a preloaded hub cache that is only read."""
    preloaded = tmp_path / "home" / ".cache" / "huggingface" / "hub"
    preloaded.mkdir(parents=True)
    preloaded.chmod(stat.S_IRUSR | stat.S_IXUSR)
    return tmp_path / "home"


def surroundings(home: Path, lender: Lender, **more: str) -> dict[str, str]:
    """The variables of a Space on ZeroGPU; nothing of this machine's but the search path."""
    cgroup = home.parent / "cgroup"
    cgroup.write_text("0::/x\n")
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "SYSTEM": "spaces",
        "SPACE_ID": "somebody/clapper",
        "SPACE_HOST": "somebody-clapper.hf.space",
        "SPACES_ZERO_GPU": "true",
        "SPACES_ZERO_DEVICE_API_URL": lender.url,
        "ZEROGPU_PROC_SELF_CGROUP_PATH": str(cgroup),
        "OAUTH_CLIENT_ID": "of-the-platform",
        "OAUTH_CLIENT_SECRET": "of-the-platform-too",
        "OAUTH_SCOPES": "openid profile",
        "OPENID_PROVIDER_URL": "http://127.0.0.1:1",
        "HF_ENDPOINT": "http://127.0.0.1:1",
        "CLAPPER_STUDIO_PORT": "0",
        "CLAPPER_MIN_FREE_MEGABYTES": "0",
        **more,
    }


@asynccontextmanager
async def started(
    folder: Path, variables: dict[str, str], until: re.Pattern[str] = READY
) -> AsyncGenerator[Running]:
    """Run the Space's own entry until its page answers, or another one that says why not."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "app.py"),
        cwd=folder,
        env=variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    said: list[str] = []
    try:
        async with asyncio.timeout(240):
            async for line in process.stdout:
                said.append(line.decode().rstrip())
                if found := until.search(said[-1]):
                    break
            else:
                raise AssertionError("\n".join(said[-40:]))
        rest = asyncio.create_task(_listen(process.stdout, said))
        url = found[1].replace("localhost", "127.0.0.1")
        async with httpx.AsyncClient(base_url=url, timeout=30) as http:
            yield Running(http, said, Path(variables["HOME"]))
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
    await rest


async def _listen(stream: asyncio.StreamReader, said: list[str]) -> None:
    async for line in stream:
        said.append(line.decode().rstrip())


async def made(http: httpx.AsyncClient) -> str:
    """Ask for a small clip and wait until the job is over; return its id."""
    data = {"data": SMALL}
    event = (await http.post("/gradio_api/call/t2v", json=data, headers=KEY)).json()["event_id"]
    answer = (await http.get(f"/gradio_api/call/t2v/{event}", headers=KEY)).text
    job = answer.partition('"job": "')[2][:32]

    async def over() -> bool:
        address = f"/studio/state?job={job}"
        return not (await http.get(address, headers=KEY)).json()["job"]["live"]

    await eventually(over, 120)
    return job


def without_gpu(home: Path, **more: str) -> dict[str, str]:
    """The variables of a Space on CPU basic."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "SYSTEM": "spaces",
        "SPACE_ID": "somebody/clapper",
        "CLAPPER_STUDIO_PORT": "0",
        "CLAPPER_MIN_FREE_MEGABYTES": "0",
        **more,
    }


async def test_a_space_starts_from_its_folder_and_refuses_before_it_borrows(
    folder: Path, home: Path, lender: Lender, comfyui: tuple[str, str]
) -> None:
    async with started(folder, surroundings(home, lender)) as space:
        http = space.http
        health = (await http.get("/healthz")).json()
        page = await http.get("/")
        account = (await http.get("/studio/account")).json()
        job = await made(http)
        state = (await http.get(f"/studio/state?job={job}", headers=KEY)).json()

    checkout = home / "clapper" / "comfyui" / "checkout"
    assert git(checkout, "rev-parse", "HEAD") == comfyui[1]
    assert not (checkout / "later.py").exists()
    assert health["ok"]
    assert page.status_code == 200
    assert "SameSite=None; Secure" in page.headers["set-cookie"]
    assert account["link"]["href"] == "login/huggingface"
    assert "rtx-pro-6000-half" in state["model"]
    assert state["job"]["error"]["code"] == "space_incomplete"
    assert state["job"]["buttons"][0]["action"] == "again"
    assert lender.calls == ["/startup-report"]  # nothing was borrowed for what cannot run
    assert list((home / ".cache" / "huggingface" / "hub").iterdir()) == []
    assert not any("Traceback" in line for line in space.said)


async def test_a_sign_in_on_a_space_comes_back_to_its_public_address(
    folder: Path, home: Path, lender: Lender
) -> None:
    from webui.testing.oauth_provider import CLIENT_ID, CLIENT_SECRET, Account, providing

    async with providing(Account("64ada", "ada")) as provider:
        variables = surroundings(
            home,
            lender,
            OAUTH_CLIENT_ID=CLIENT_ID,
            OAUTH_CLIENT_SECRET=CLIENT_SECRET,
            OPENID_PROVIDER_URL=provider.url,
        )
        async with started(folder, variables) as space:
            begun = await space.http.get("/login/huggingface")

    question = httpx.URL(begun.headers["location"])
    back = "https://somebody-clapper.hf.space/login/callback"
    assert question.params["redirect_uri"] == back
    assert "samesite=none; secure" in begun.headers["set-cookie"]


async def test_a_pin_that_does_not_exist_is_told_on_a_page(
    folder: Path, home: Path, lender: Lender, comfyui: tuple[str, str]
) -> None:
    pins = folder / "comfyui" / "pins.toml"
    pins.write_text(pins.read_text("utf-8").replace(comfyui[1], "0" * 40), "utf-8")

    async with started(folder, surroundings(home, lender), PROBLEM) as space:
        page, state = await space.http.get("/"), await space.http.get("/studio/state")

    assert "Build the Space anew" in page.text
    assert (state.status_code, state.json()["code"]) == (503, "commit_unknown")
    assert lender.calls == ["/startup-report"]  # the platform knows that the Space is up
    assert not any("Traceback" in line for line in space.said)


async def test_without_a_gpu_clips_are_drafts_and_attached_storage_keeps_them(
    folder: Path, tmp_path: Path
) -> None:
    home, data = tmp_path / "home", tmp_path / "bucket" / "clapper"
    home.mkdir()
    (home / ".cache").write_text("nobody can make a folder in it")
    variables = without_gpu(home, CLAPPER_DATA_DIR=str(data))

    async with started(folder, variables) as space:
        config, job = (await space.http.get("/config")).json(), await made(space.http)
        clip = await space.http.get(f"/clips/{job}.mp4", headers=KEY)

    assert "Settings → Hardware" in json.dumps(config, ensure_ascii=False)
    assert clip.status_code == 200
    assert {path.name for path in home.iterdir()} <= {".cache", "clapper", ".zerogpu"}
    shutil.rmtree(home / "clapper", ignore_errors=True)  # the disk of a Space is new at every start
    with ExitStack() as held:
        held.enter_context(lock(data))  # as while the old container still runs
        async with started(folder, variables, PROBLEM) as space:
            told = (await space.http.get("/studio/state")).json()
            held.close()
            address = await space.heard(READY)
            async with httpx.AsyncClient(base_url=address, timeout=60) as http:
                again = await http.get(f"/clips/{job}.mp4", headers=KEY)

    assert told["code"] == "data_directory_busy"
    assert again.content == clip.content


KEY = {"x-clapper-key": "a secret of the visitor"}
