"""What keeps a Space from working: the page is up and says what its owner does about it."""

import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.space.conftest import hand_over
from tests.space.machine import USER, Machine
from tests.space.running import PROBLEM

UNREACHABLE = "http://127.0.0.1:1/nothing.git"


@contextmanager
def hub(status: int, code: str) -> Generator[str]:
    """A hub that refuses every file in one way."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(status)
            self.send_header("X-Error-Code", code)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            self.do_HEAD()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def unload(machine: Machine) -> None:
    """The image was built without model files."""
    subprocess.run(["rm", "-r", *machine.preloaded.iterdir()], check=True)


def lock_up(machine: Machine) -> None:
    machine.preloaded.chmod(0o700)


def nothing(_: Machine) -> None:
    pass


async def refused_job(machine: Machine, **variables: str) -> tuple[dict[str, str], str]:
    """What is told under the first job, and the log."""
    async with machine.running(**variables) as space, space.visitor("ada") as ada:
        assert (await ada.http.get("/")).status_code == 200
        found = await ada.over(await ada.ask())
        error = found["error"]
        assert isinstance(error, dict), (found, space.log)
    assert machine.lender.leases == []  # nothing is borrowed for what cannot run
    assert space.broke() == []
    return error, space.log


@pytest.mark.parametrize(
    ("status", "code", "hints"),
    [
        (403, "GatedRepo", ["HF_TOKEN", "Lightricks/LTX-2.3-fp8", "accept"]),
        (401, "", ["HF_TOKEN"]),
        (404, "EntryNotFound", ["HF_TOKEN"]),
        (503, "", ["later"]),
    ],
    ids=["gated", "no token", "missing", "broken"],
)
async def test_a_file_that_the_hub_refuses_is_told_with_its_page_and_the_secret_to_set(
    machine: Machine, status: int, code: str, hints: list[str]
) -> None:
    unload(machine)
    with hub(status, code) as endpoint:
        error, log = await refused_job(machine, HF_ENDPOINT=endpoint)

    assert error["code"] == "space_incomplete"
    assert ".safetensors" in error["text"]
    for hint in hints:
        assert hint.lower() in error["text"].lower()
        assert hint.lower() in log.lower()
    assert "clapper models" not in error["text"]


@pytest.mark.parametrize(
    ("breaks", "hints"),
    [(unload, ["does not answer"]), (lock_up, ["cannot be read", "Factory rebuild"])],
    ids=["offline", "unreadable preload"],
)
async def test_files_that_are_not_to_be_had_are_told_under_the_job(
    machine: Machine, breaks: Callable[[Machine], None], hints: list[str]
) -> None:
    breaks(machine)

    error, log = await refused_job(machine)

    for hint in hints:
        assert hint in error["text"]
        assert hint in log


async def told_at_the_start(machine: Machine, **variables: str) -> str:
    """The page of a Space that cannot start."""
    async with machine.running(PROBLEM, **variables) as space, space.visitor("ada") as ada:
        page = await ada.http.get("/")
        health = await ada.http.get("/healthz")
        assert page.status_code == 200
        assert health.status_code == 503
        assert "/startup-report" in machine.lender.calls
    assert space.broke() == []
    assert "Traceback" not in page.text
    return page.text


def repoint(machine: Machine, address: str) -> None:
    pins = machine.app / "comfyui" / "pins.toml"
    lines = pins.read_text().splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("repository"))
    lines[at] = f'repository = "{address}"'
    pins.write_text("\n".join(lines))


async def test_a_repository_that_does_not_answer_is_told_and_tried_again(
    machine: Machine,
) -> None:
    repoint(machine, UNREACHABLE)

    page = await told_at_the_start(machine)

    assert "ComfyUI" in page
    assert "does not answer" in page


async def test_without_git_the_page_says_how_to_bring_it(machine: Machine, tmp_path: Path) -> None:
    repoint(machine, UNREACHABLE)

    page = await told_at_the_start(machine, PATH=str(machine.base))

    assert "git" in page
    assert "packages.txt" in page


@pytest.fixture
def small_disk(machine: Machine) -> Generator[Callable[[int], None]]:
    """Put a disk of so many kilobytes below the Space's own folder."""
    place = machine.home / "clapper"
    place.mkdir()

    def mount(kilobytes: int) -> None:
        options = f"size={kilobytes}k,uid={USER},gid={USER},mode=755"
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")

    yield mount
    subprocess.run(["umount", "-l", str(place)], check=False, capture_output=True)


@pytest.mark.parametrize("kilobytes", [4, 64, 256])
async def test_a_full_disk_at_the_start_is_told_on_the_page(
    machine: Machine, small_disk: Callable[[int], None], kilobytes: int
) -> None:
    small_disk(kilobytes)

    page = await told_at_the_start(machine)

    assert "disk" in page.lower()


async def test_a_data_folder_of_another_user_is_told_on_the_page(machine: Machine) -> None:
    (machine.base / "bucket").mkdir(mode=0o755)

    page = await told_at_the_start(machine, CLAPPER_DATA_DIR=str(machine.base / "bucket" / "data"))

    assert "CLAPPER_DATA_DIR" in page


async def test_a_setting_with_an_impossible_value_is_told_on_the_page(machine: Machine) -> None:
    """On the port where the platform expects the page: the settings are not read."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", 7860)) == 0:
            pytest.skip("another program has port 7860")
    page = await told_at_the_start(machine, CLAPPER_MODEL_PROFILE="enormous")

    assert "CLAPPER_MODEL_PROFILE" in page


async def test_a_space_that_could_not_start_turns_into_the_studio_once_it_can(
    machine: Machine, place: Path
) -> None:
    late = machine.base / "late.git"
    repoint(machine, late.as_uri())
    async with machine.running(PROBLEM) as space:
        shutil.copytree(place / "comfyui.git", late)
        hand_over(late)
        await space.ready()
        async with space.visitor("ada") as ada:
            assert (await ada.http.get("/")).status_code == 200
            await ada.made(await ada.ask())


async def test_without_zerogpu_a_draft_answers_and_the_page_says_how_to_get_a_gpu(
    machine: Machine,
) -> None:
    variables = {"SPACES_ZERO_GPU": "", "SPACES_ZERO_DEVICE_API_URL": "", "ACCELERATOR": "none"}
    async with machine.running(**variables) as space, space.visitor("ada") as ada:
        job = await ada.ask()
        clip = await ada.made(job)
        state = await ada.state()
        shown = (await ada.http.get("/config")).text

    assert clip
    assert "Duplicate this Space" in shown
    assert "Hardware" in shown
    assert "rtx" not in str(state["model"])
    assert not list(machine.home.glob("**/checkout"))  # nothing is fetched for what cannot run
