"""Every mode as people type them: ``clapper generate`` to an MP4 with sound."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import av
import pytest

from core.demo.samples import write_png, write_video, write_wav
from core.domain.modes import MODES, Mode

if TYPE_CHECKING:
    from tests.comfy.conftest import Lab

pytestmark = [
    pytest.mark.comfy_real,
    # torch and ComfyUI warn of themselves, when the lab is started
    pytest.mark.filterwarnings("ignore"),
]
PROGRAM = Path(__file__).with_name("tiny_clapper.py")
SMALL = ("--width", "128", "--height", "128", "--seconds", "1", "--preset", "fast", "--seed", "7")


def typed(
    lab: "Lab", folder: Path, *arguments: str, **settings: str
) -> "subprocess.CompletedProcess[str]":
    own = {
        "CLAPPER_DATA_DIR": str(folder / "data"),
        "CLAPPER_COMFYUI_DIR": str(lab.place.checkout),
        "CLAPPER_COMFYUI_PACKS": "true",  # the one that makes the text encoder tiny
        "CLAPPER_MODELS_DIR": str(lab.place.models),
        "CLAPPER_EXECUTOR": "comfy",
        "CLAPPER_MIN_SIDE": "128",
        "CLAPPER_MIN_FREE_MEGABYTES": "0",
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(folder / "hub"),
        "OMP_NUM_THREADS": "1",
    }
    return subprocess.run(
        [sys.executable, str(PROGRAM), *arguments],
        env={**os.environ, **own, **settings},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def inputs(mode: Mode, folder: Path) -> list[str]:
    writers = {
        "image": lambda: write_png(folder / "image.png"),
        "first": lambda: write_png(folder / "first.png"),
        "last": lambda: write_png(folder / "last.png", shade=200),
        "audio": lambda: write_wav(folder / "audio.wav"),
        "video": lambda: write_video(folder / "video.mp4"),
    }
    return [
        part for slot in MODES[mode].slots for part in (f"--{slot.role}", str(writers[slot.role]()))
    ]


@pytest.mark.parametrize("mode", Mode)
def test_generate_writes_an_mp4_with_sound(lab: "Lab", tmp_path: Path, mode: Mode) -> None:
    file = tmp_path / "clip.mp4"
    began = time.perf_counter()

    done = typed(
        lab, tmp_path, "generate", mode.value, "--out", str(file), "--prompt", "a boat",
        *SMALL, *inputs(mode, tmp_path),
    )  # fmt: skip

    spent = time.perf_counter() - began
    assert done.returncode == 0, done.stderr + done.stdout
    with av.open(str(file)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        frames = sum(1 for _ in container.decode(video))
        made = 24 + 24 if mode is Mode.EXTEND else 25  # of the film, and what is added
        assert (video.width, video.height, frames) == (128, 128, made)
        assert float(audio.duration * audio.time_base) == pytest.approx(made / 24, abs=0.1)
    row = (f"cli {mode}", f"{frames} frames", f"{spent:.1f} s", f"{file.stat().st_size} bytes")
    lab.rows.append((*row, "process start included"))


def test_a_length_out_of_range_is_refused_before_anything_starts(
    lab: "Lab", tmp_path: Path
) -> None:
    done = typed(
        lab, tmp_path, "generate", "t2v", "--out", "clip.mp4", "--prompt", "x", "--seconds", "99"
    )

    assert done.returncode == 2
    assert "20 s" in done.stderr + done.stdout


def test_missing_models_end_with_the_command_that_brings_them(lab: "Lab", tmp_path: Path) -> None:
    done = typed(
        lab, tmp_path, "generate", "t2v", "--out", "clip.mp4", "--prompt", "x", *SMALL,
        CLAPPER_MODELS_DIR=str(tmp_path / "empty"),
    )  # fmt: skip

    assert done.returncode == 4, done.stderr + done.stdout
    assert "clapper models pull" in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
