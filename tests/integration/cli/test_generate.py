"""``clapper generate``: every mode to a file, and every refusal to a sentence and a status."""

import os
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest
from typer.testing import Result

from core.demo.samples import write_png
from core.domain.modes import Mode
from core.domain.options import KEPT, Option
from core.storage.lock import lock
from tests.support.option_rows import value_of
from tests.support.programs import MAIN

Clapper = Callable[..., Result]


@pytest.mark.parametrize("mode", Mode)
def test_every_mode_becomes_a_video_with_sound_and_a_poster(
    clapper: Clapper, inputs: dict[str, list[object]], small: list[object], mode: str
) -> None:
    out = Path("made") / f"{mode}.mp4"

    result = clapper("generate", mode, *inputs[mode], *small, "--out", out)

    assert result.exit_code == 0, result.output
    assert "seed 4" in result.stdout
    assert str(out) in result.stdout
    assert out.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    with av.open(str(out)) as container:
        video = container.streams.video[0]
        frames = 24 + 24 if mode == "extend" else 25  # of the film, and what is added
        assert (video.width, video.height, video.frames) == (256, 256, frames)
        assert container.streams.audio, "without a track chats take it for a moving picture"
        peak = max(float(abs(frame.to_ndarray()).max()) for frame in container.decode(audio=0))
    assert (peak > 0.001) is (mode != "style")  # the given film is silent


def test_pictures_are_given_one_after_the_other_with_their_times(
    answer: Callable[..., dict[str, Any]], inputs: dict[str, list[object]], small: list[object]
) -> None:
    _, first, _, last = inputs["keyframe"]
    given = [f"{first}@0", f"{last}@0.5", f"{first}@1"]
    images = [part for path in given for part in ("--image", path)]

    job = answer("generate", "keyframe", *images, *small, "-o", "day.mp4")

    assert job["times"] == "0, 0.5, 1"


def test_json_is_one_object_and_nothing_else_on_standard_output(
    answer: Callable[..., dict[str, Any]], small: list[object]
) -> None:
    job = answer("generate", "t2v", "-p", "a red kite", *small, "-o", "kite.mp4")

    assert job["state"] == "succeeded"
    assert (job["width"], job["height"], job["frames"], job["fps"]) == (256, 256, 25, 24)
    assert job["seed"] == 4
    assert re.fullmatch(r"[0-9a-f]{32}", job["job_id"])
    assert Path(job["file"]).stat().st_size == job["size_bytes"]
    assert Path(job["poster"]).exists()
    assert "a red kite" not in str(job)


@pytest.mark.parametrize(
    "option",
    [option for option in KEPT if option.offered_in(Mode.T2V)],
    ids=lambda option: option.name,
)
def test_a_kept_option_is_told_to_scripts_unless_it_is_private(
    answer: Callable[..., dict[str, Any]], small: list[object], option: Option
) -> None:
    value = value_of(option)
    asked = ["generate", "t2v", "-p", "fog", f"--{option.name.replace('_', '-')}", value]

    job = answer(*asked, *small, "-o", "fog.mp4")

    assert job.get(option.name) == (None if option.is_private else value)
    assert option.is_private is (str(value) not in str(job))


def test_adjustments_are_told(clapper: Clapper) -> None:
    result = clapper(
        *("generate", "t2v", "-p", "fog", "--width", 300, "--height", 260, "--seconds", 1),
        *("-o", "fog.mp4"),
    )

    assert result.exit_code == 0, result.output
    assert "300×260 becomes 320×256" in result.stdout


def test_a_random_seed_is_reported(answer: Callable[..., dict[str, Any]]) -> None:
    asked = ["--width", 256, "--height", 256, "--seconds", 1]
    seeds = {answer("generate", "t2v", "-p", "fog", *asked, "-o", "a.mp4")["seed"] for _ in "ab"}

    assert len(seeds) == 2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["t2v"], "needs a prompt"),
        (["t2v", "-p", "x", "--width", "100"], "Width 100 px is not possible"),
        (["t2v", "-p", "x", "--seconds", "99"], "choose between 1 and 20 s"),
        (["t2v", "-p", "x", "--fps", "90"], "Frame rate 90"),
        (["t2v", "-p", "x", "--seed", "-1"], "Seed -1 is not possible"),
        (["t2v", "-p", "x", "--seed", str(2**63)], "and 9223372036854775807."),
        (["t2v", "-p", "x", "--seconds", "nan"], "choose between 1 and 20 s"),
        (["t2v", "-p", "x", "--width", "1920", "--height", "1920"], "0.07 and 2.1 Mpx"),
        (["t2v", "-p", "x", "--preset", "best"], "fast, balanced, quality"),
        (["t2v", "-p", "x", "--camera", "up"], "is not a known camera move"),
        (["t2v", "-p", "x", "--aspect", "5:1"], "is not a known aspect ratio"),
        (["t2v", "-p", "y" * 2001], "2001 characters"),
        (["t2v", "-p", "x", "--image", "{png}"], "does not use an image"),
        (["i2v"], "needs an image"),
        (["i2v", "--image", "gone.png"], "There is no file gone.png"),
        (["i2v", "--image", "{text}"], "Please convert it"),
        (["keyframe", "--first", "{png}"], "needs a last image"),
    ],
)
def test_what_can_never_work_is_said_in_a_sentence(
    clapper: Clapper,
    inputs: dict[str, list[object]],
    tmp_path: Path,
    arguments: list[str],
    sentence: str,
) -> None:
    (tmp_path / "note.txt").write_text("not a picture " * 20)
    places = {"{png}": inputs["i2v"][1], "{text}": tmp_path / "note.txt"}
    filled = [places.get(argument, argument) for argument in arguments]

    result = clapper("generate", *filled, "-o", "out.mp4")

    assert result.exit_code == 2
    assert sentence in result.stderr
    assert "Traceback" not in result.output
    assert not Path("out.mp4").exists()


def test_a_refused_file_leaves_no_job_and_the_whole_quota(
    clapper: Clapper, answer: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    films = {"list.mp4": b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "empty.mp4": b""}
    for name, content in films.items():
        (tmp_path / name).write_bytes(content)
    write_png(tmp_path / "look.png")

    for name in films:
        refused = clapper(
            "generate", "style", "--video", name, "--image", "look.png", "-o", "x.mp4"
        )
        assert refused.exit_code == 2

    quota = answer("quota", "show")
    assert (quota["used_ms"], quota["reserved_ms"]) == (0, 0)
    assert "no jobs yet" in clapper("jobs").stdout


@pytest.mark.parametrize("out", ["film.mov", "image.png/film.mp4", "/proc/film.mp4"])
def test_an_output_that_cannot_be_written_is_refused_before_the_work(
    clapper: Clapper, inputs: dict[str, list[object]], data_dir: Path, out: str
) -> None:
    result = clapper("generate", "t2v", "-p", "x", "-o", out)

    assert result.exit_code == 2
    assert "ends in .mp4" in result.stderr
    assert not data_dir.exists()


@pytest.mark.parametrize("reason", ["the disk is full", "no file can be made there"])
def test_a_clip_that_cannot_be_written_any_more_is_kept_and_said_where(
    clapper: Clapper,
    tmp_path: Path,
    data_dir: Path,
    small: list[object],
    monkeypatch: pytest.MonkeyPatch,
    reason: str,
) -> None:
    part = tmp_path / "part.mp4"  # in the way of the copy
    monkeypatch.setattr("core.media.output.destinations.part_beside", lambda _: part)
    part.symlink_to("/dev/full") if reason == "the disk is full" else part.mkdir()

    result = clapper("generate", "t2v", "-p", "x", *small, "-o", "x.mp4")

    (kept,) = (data_dir / "clips").glob("*.mp4")
    assert result.exit_code == 4
    assert (
        f"could not be written to {tmp_path}/x.mp4: {reason}. It is kept at {kept}" in result.stderr
    )
    assert not part.is_symlink()


def test_refusals_are_json_too(answer: Callable[..., dict[str, Any]]) -> None:
    error = answer("generate", "t2v", "-p", "x", "--width", "100", "-o", "x.mp4")["error"]

    assert error["code"] == "out_of_range"
    assert error["data"]["low"] == 256
    assert "Width" in error["message"]


def test_drafts_are_announced_once_a_clip_is_drawn_and_never_above_a_refusal(
    clapper: Clapper, monkeypatch: pytest.MonkeyPatch, small: list[object]
) -> None:
    monkeypatch.setenv("CLAPPER_EXECUTOR", "auto")
    monkeypatch.setenv("CLAPPER_COMFYUI_DIR", "nowhere")

    drawn = clapper("generate", "t2v", "-p", "x", *small, "-o", "x.mp4")
    refused = clapper("generate", "t2v", "-p", "x", "--width", "100", "-o", "y.mp4")

    assert drawn.exit_code == 0, drawn.output
    assert drawn.stderr.count("Drawing drafts") == 1
    assert "Drawing drafts" not in drawn.stdout
    assert refused.stderr.splitlines() == [refused.stderr.strip()]
    assert refused.stderr.startswith("Width 100 px")


def test_a_spent_quota_is_a_refusal_with_its_own_status(
    clapper: Clapper, monkeypatch: pytest.MonkeyPatch, small: list[object]
) -> None:
    monkeypatch.setenv("CLAPPER_QUOTA_MINUTES", "0")

    result = clapper("generate", "t2v", "-p", "x", *small, "-o", "x.mp4")

    assert result.exit_code == 3
    assert "GPU time" in result.stderr


def test_a_setting_that_cannot_be_is_named(
    clapper: Clapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAPPER_MAX_QUEUED", "many")

    result = clapper("generate", "t2v", "-p", "x", "-o", "x.mp4")

    assert result.exit_code == 5
    assert "CLAPPER_MAX_QUEUED" in result.stderr


def test_a_data_directory_in_use_is_said(clapper: Clapper, data_dir: Path) -> None:
    with lock(data_dir):
        result = clapper("generate", "t2v", "-p", "x", "-o", "x.mp4")

    assert result.exit_code == 5
    assert "Another Clapper already runs" in result.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_end_cancels_the_job_and_refunds_it(
    clapper: Clapper, answer: Callable[..., dict[str, Any]], data_dir: Path, number: signal.Signals
) -> None:
    command = [*MAIN, "generate", "t2v", "-p", "x", "-o", "x.mp4"]
    root = Path(__file__).resolve().parents[3]
    long, before = ["--seconds", "20", "--preset", "quality"], os.times().children_user
    with subprocess.Popen(
        [*command, *long],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "ready in about" in line:
                break
        process.send_signal(number)
        _, errors = process.communicate(timeout=120)

    assert process.returncode == 130
    assert "cancelled and refunded" in errors
    assert "Traceback" not in errors
    assert "never retrieved" not in errors
    assert errors.rstrip().endswith("cancelled and refunded.")
    assert os.times().children_user - before < 20  # s of a processor; drawing it all takes 70
    assert not Path("x.mp4").exists()
    assert "cancelled" in clapper("jobs").stdout
    assert answer("quota", "show")["reserved_ms"] == 0
