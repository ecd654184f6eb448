"""What keeps a Space from starting is named, told without any command, and tried again."""

import asyncio
import logging
import resource
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from pathlib import Path

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from core.comfy.install.errors import RepositoryOffline
from core.comfy.install.pins import Pin, Pins
from core.settings import Settings
from core.storage.lock import lock
from webui.space import program
from webui.space.places import home
from webui.space.problem_page import OnlyAnswer, ProblemPage
from webui.space.problems import told

SetUp = Callable[[Path, pytest.MonkeyPatch], object]


@pytest.fixture(autouse=True)
def a_space(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Generator[None]:
    """Variables and home of a Space; its log ends with the test."""
    root = logging.getLogger()
    before = (list(root.handlers), root.level, sys.excepthook, sys.unraisablehook)
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SPACE_ID", "ada/clapper")
    monkeypatch.setenv("CLAPPER_STUDIO_PORT", "0")
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    (tmp_path / "home").mkdir()
    yield
    logging.captureWarnings(capture=False)
    root.handlers[:], root.level = before[0], before[1]
    sys.excepthook, sys.unraisablehook = before[2], before[3]


def pinned(monkeypatch: pytest.MonkeyPatch, repository: str) -> None:
    """Pin ComfyUI to ``repository``, where it is used."""
    pin = Pin("ComfyUI", repository, "0" * 40, "x", "y", archive="http://127.0.0.1:1/it.tar.gz")
    monkeypatch.setattr(program, "load_pins", lambda: Pins("0.27.0", pin, "torch", ()))
    monkeypatch.setattr(program, "FETCH_PAUSES_S", (0.001,))
    monkeypatch.setenv("CLAPPER_EXECUTOR", "comfy")


def offline(folder: Path, patch: pytest.MonkeyPatch) -> None:
    pinned(patch, "http://127.0.0.1:1/ComfyUI")


def without_git(folder: Path, patch: pytest.MonkeyPatch) -> None:
    pinned(patch, "http://127.0.0.1:1/ComfyUI")
    patch.setenv("PATH", "/nowhere")


def no_folder_for_the_data(folder: Path, patch: pytest.MonkeyPatch) -> None:
    (folder / "file").touch()
    patch.setenv("CLAPPER_DATA_DIR", str(folder / "file" / "data"))


def nothing_attached(folder: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("CLAPPER_DATA_DIR", "/proc/nothing/attached")


def no_folder_for_comfyui(folder: Path, patch: pytest.MonkeyPatch) -> None:
    pinned(patch, "http://127.0.0.1:1/ComfyUI")
    (folder / "file").touch()
    patch.setenv("CLAPPER_COMFYUI_DIR", str(folder / "file" / "checkout"))


def home_is_a_file(folder: Path, patch: pytest.MonkeyPatch) -> None:
    (folder / "home").rmdir()
    (folder / "home").touch()


def wrong_settings(folder: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("CLAPPER_MAX_SECONDS", "soon")


def full_at_the_database(folder: Path, patch: pytest.MonkeyPatch) -> None:
    _limit(20_000)


def full_at_the_checkout(folder: Path, patch: pytest.MonkeyPatch) -> None:
    pinned(patch, "http://127.0.0.1:1/ComfyUI")
    _limit(16)


def _limit(size_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, resource.RLIM_INFINITY))


@pytest.fixture
def unlimited() -> Generator[None]:
    """Files may grow again after the test."""
    yield
    _limit(resource.RLIM_INFINITY)


@pytest.mark.parametrize(
    ("lacking", "code", "word"),
    [
        (offline, "repository_offline", "it is tried again"),
        (without_git, "git_missing", "packages.txt"),
        (no_folder_for_the_data, "path_is_file", "CLAPPER_DATA_DIR"),
        (nothing_attached, "storage_gone", "attached"),
        (no_folder_for_comfyui, "checkout_unwritable", "CLAPPER_COMFYUI_DIR"),
        (home_is_a_file, "path_is_file", "home"),
        (wrong_settings, "bad_settings", "CLAPPER_MAX_SECONDS"),
        (full_at_the_checkout, "checkout_disk_full", "larger disk"),
        (full_at_the_database, "file_too_large", "data"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
@pytest.mark.usefixtures("unlimited")
def test_what_keeps_a_space_from_starting_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lacking: SetUp, code: str, word: str
) -> None:
    lacking(tmp_path, monkeypatch)

    problem = program.kept_from_starting()

    assert problem is not None
    assert problem.code == code
    assert word in told(problem)
    assert told(problem, "de") != told(problem)
    assert "clapper " not in told(problem)


def test_a_data_folder_in_use_is_named(tmp_path: Path) -> None:
    with lock(home() / "data"):
        problem = program.kept_from_starting()

    assert problem is not None
    assert problem.code in {"data_directory_busy", "data_directory_foreign"}


@pytest.fixture
async def page() -> AsyncGenerator[httpx.AsyncClient]:
    """The page of a problem whose words came from elsewhere, in front of everything of Gradio's."""
    problem = RepositoryOffline("ComfyUI", detail="<script>", source="https://example.org/x")

    async def gradio(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("gradio")(scope, receive, send)

    app = OnlyAnswer(gradio, ProblemPage(problem).answer)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://space") as http:
        yield http


async def test_the_page_says_what_to_do_in_the_readers_language(page: httpx.AsyncClient) -> None:
    english = await page.get("/")
    german = await page.get("/", headers={"accept-language": "de-AT,en"})

    assert english.status_code == german.status_code == 200
    assert "This Space cannot start yet" in english.text
    assert "status.huggingface.co" in english.text
    assert "<script>" not in english.text
    assert 'lang="de"' in german.text
    assert "antwortet nicht" in german.text


@pytest.mark.parametrize("path", ["/studio/state", "/gradio_api/upload", "/config", "/file=/etc"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_nothing_else_is_reached_while_the_page_is_there(
    page: httpx.AsyncClient, method: str, path: str
) -> None:
    answer = await page.request(method, path)

    assert (answer.status_code, answer.json()["code"]) == (503, "repository_offline")
    assert int(answer.headers["retry-after"]) > 0


async def test_gradio_finds_that_it_is_up(page: httpx.AsyncClient) -> None:
    assert (await page.get("/gradio_api/startup-events")).text == "gradio"


def test_comfyui_is_imported_before_the_event_loop_and_into_a_folder_of_ours(monkeypatch):
    seen = []

    class Prepared:
        def import_comfyui(self, place, vram):
            with pytest.raises(RuntimeError):
                asyncio.get_running_loop()
            seen.append((program.space_settings().data_dir / ".clapper").is_file())

    async def serve(settings):
        seen.append("served")
        return False

    monkeypatch.setattr(program, "PREPARATION", Prepared())
    monkeypatch.setattr(program, "serve", serve)
    monkeypatch.setattr(program, "lends", lambda: True)
    monkeypatch.setattr(program, "install", lambda *_, **__: None)

    program.start_once(program.space_settings())

    assert seen == [True, "served"]
