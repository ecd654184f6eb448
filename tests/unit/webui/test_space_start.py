"""What keeps a Space from starting is named, told without any command, and tried again."""

import logging
import resource
import sys
import threading
from collections.abc import Callable, Generator
from pathlib import Path

import httpx
import pytest

from core.comfy.install.errors import RepositoryOffline
from core.comfy.install.pins import Pin, Pins
from core.errors import ClapperError
from core.settings import Settings
from core.storage.lock import lock
from webui.space import program
from webui.space.places import home
from webui.space.problem_page import ProblemPage
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
def page() -> Generator[Callable[[ClapperError], httpx.Client]]:
    """Serve the page of a problem until the test is over."""
    over, served = threading.Event(), list[threading.Thread]()
    clients: list[httpx.Client] = []

    def serve(problem: ClapperError) -> httpx.Client:
        up, found = threading.Event(), list[str]()

        def ready(url: str) -> None:
            found.append(url)
            up.set()

        shown = ProblemPage(problem, wait=lambda _: over.wait(), on_ready=ready)
        served.append(threading.Thread(target=shown.serve, args=(60.0, None)))
        served[-1].start()
        assert up.wait(60)
        clients.append(httpx.Client(base_url=found[0], timeout=30))
        return clients[-1]

    yield serve
    for client in clients:
        client.close()
    over.set()
    for thread in served:
        thread.join()


def test_the_page_says_what_to_do_in_the_readers_language_and_offers_nothing_else(
    page: Callable[[ClapperError], httpx.Client],
) -> None:
    problem = RepositoryOffline("ComfyUI", detail="<script>", source="https://example.org/x")
    http = page(problem)

    english, german = http.get("/"), http.get("/", headers={"accept-language": "de-AT,en"})
    asked = http.get("/studio/state")
    sent = http.post("/gradio_api/upload", files={"files": b"x" * 100})

    assert english.status_code == german.status_code == 200
    assert "This Space cannot start yet" in english.text
    assert "status.huggingface.co" in english.text
    assert "<script>" not in english.text
    assert 'lang="de"' in german.text
    assert "antwortet nicht" in german.text
    assert (asked.status_code, asked.json()["code"]) == (503, "repository_offline")
    assert int(asked.headers["retry-after"]) > 0
    assert sent.status_code == 503
