"""The command line on a data directory of its own, with inputs of every kind."""

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner, Result

from core.demo.samples import write_png, write_video, write_wav


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clean_environment: None) -> Path:
    """The data directory that the environment names; the working directory is empty."""
    values = {
        "DATA_DIR": str(tmp_path / "data"),
        "EXECUTOR": "draft",
        "MIN_FREE_MEGABYTES": "0",
        "QUOTA_MINUTES": "1000",
        "PROGRESS_EVERY_S": "0.1",
    }
    for name, value in values.items():
        monkeypatch.setenv(f"CLAPPER_{name}", value)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "data"


@pytest.fixture
def clapper(data_dir: Path) -> Iterator[Callable[..., Result]]:
    """Run one command in this process; logging is as before afterwards."""
    from core.cli.app import APP

    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield lambda *arguments: CliRunner().invoke(APP, [str(item) for item in arguments])
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def answer(clapper: Callable[..., Result]) -> Callable[..., dict[str, Any]]:
    """Run a command with ``--json`` and return what it printed."""
    return lambda *arguments: json.loads(clapper(*arguments, "--json").stdout)


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, list[object]]:
    """The options of each mode."""
    image = write_png(tmp_path / "image.png")
    other = write_png(tmp_path / "other.png", shade=200)
    audio = write_wav(tmp_path / "audio.wav")
    video = write_video(tmp_path / "video.mp4")
    return {
        "t2v": ["--prompt", "a red kite"],
        "i2v": ["--image", image],
        "a2v": ["--audio", audio],
        "lipsync": ["--image", image, "--audio", audio],
        "keyframe": ["--first", image, "--last", other],
        "style": ["--video", video, "--image", image],
        "extend": ["--video", video],
    }


@pytest.fixture
def small() -> list[object]:
    """Options of a clip that is quickly made."""
    return ["--width", 256, "--height", 256, "--seconds", 1, "--preset", "fast", "--seed", 4]
