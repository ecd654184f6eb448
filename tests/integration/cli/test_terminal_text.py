"""What data says is shown on the terminal, never obeyed, by every command that shows it."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from core.cli import main

HOSTILE = "a:[/x]b[bold]c :smile: \x1b[31m\x9b1m\x07\u202e"
SHOWN = r"a:[/x]b[bold]c :smile: \x1b[31m\x9b1m\x07\u202e"


class Done(NamedTuple):
    """What a command left behind."""

    returncode: int
    stdout: bytes
    stderr: bytes


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Callable[..., Done]":
    """Run ``clapper`` as its entry point does, with streams of a terminal's encoding."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setenv("CLAPPER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("CLAPPER_EXECUTOR", "draft")
    monkeypatch.setenv("CLAPPER_MIN_FREE_MEGABYTES", "0")

    def command(*arguments: str | bytes, encoding: str = "utf-8") -> Done:
        raw = io.BytesIO(), io.BytesIO()
        out, err = (
            io.TextIOWrapper(buffer, encoding, errors="strict", write_through=True)
            for buffer in raw
        )
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["clapper", *map(os.fsdecode, arguments)])
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            with pytest.raises(SystemExit) as ended:
                main()
        return Done(int(ended.value.code or 0), raw[0].getvalue(), raw[1].getvalue())

    return command


def told(done: Done) -> str:
    text = (done.stdout + done.stderr).decode()
    assert "Traceback" not in text
    assert not any(ord(character) < 32 and character != "\n" for character in text), text
    assert "\x9b" not in text
    assert "\u202e" not in text
    return text


@pytest.mark.parametrize(
    ("arguments", "quoted"),
    [
        (("quota", "show", HOSTILE), True),
        (("jobs", "show", HOSTILE), False),  # of an id the first letters are shown
        (("jobs", "cancel", HOSTILE), False),
        (("jobs", "list", "--requester", HOSTILE), False),
        (("generate", "t2v", "-p", "x", "-o", HOSTILE + ".mp3"), True),
        (("generate", "i2v", "-p", "x", "-o", "x.mp4", "--image", HOSTILE), True),
        (("generate", HOSTILE), True),
        ((HOSTILE,), True),
        (("doctor", f"--{HOSTILE}"), True),
        (("workflow", "adopt", HOSTILE, "--mode", "t2v"), True),
        (("estimate", "t2v", "--hardware", HOSTILE), False),
        (("--env-file", HOSTILE, "jobs"), True),
    ],
    ids=lambda value: str(value[0].isalpha() and value[0]) if isinstance(value, tuple) else "",
)
def test_hostile_text_is_shown_literally(
    run: Callable[..., Done], arguments: tuple[str, ...], *, quoted: bool
) -> None:
    text = told(run(*arguments))

    if quoted:
        assert r"\x1b[31m" in text
        assert "[bold]c" in text


def test_a_clip_goes_to_a_name_of_brackets_and_the_name_is_told(
    run: Callable[..., Done], tmp_path: Path
) -> None:
    done = run("generate", "t2v", "-p", "x", "--seconds", "1", "-o", "[red]a[/b].mp4",
               "--preset", "draft")  # fmt: skip

    assert done.returncode == 0
    assert (tmp_path / "[red]a[" / "b].mp4").exists()
    assert "[red]a[/b].mp4" in told(done)


@pytest.mark.parametrize(
    "arguments",
    [
        (b"generate", b"t2v", b"-p", b"x", b"-o", b"caf\xe9.mp4"),
        (b"generate", b"i2v", b"-p", b"x", b"-o", b"x.mp4", b"--image", b"caf\xe9.png"),
        (
            b"generate",
            b"t2v",
            b"-p",
            b"caf\xe9",
            b"-o",
            b"x.mp4",
            b"--seconds",
            b"1",
            b"--preset",
            b"draft",
        ),
        (b"jobs", b"show", b"caf\xe9"),
        (b"jobs", b"list", b"--requester", b"cli:caf\xe9"),
        (b"quota", b"show", b"cli:caf\xe9"),
        (b"quota", b"show", b"cli:1", b"--place", b"caf\xe9"),
        (b"quota", b"grant", b"cli:caf\xe9", b"1"),
        (b"stats", b"--plot", b"caf\xe9.png"),
        (b"space", b"build", b"caf\xe9"),
        (b"caf\xe9",),
    ],
    ids=lambda value: b"-".join(value[:3]).decode("ascii", "replace"),
)
def test_bytes_that_are_no_text_are_refused_or_kept_never_half_recorded(
    run: Callable[..., Done], arguments: tuple[bytes, ...]
) -> None:
    done = run(*arguments)

    assert told(done) or done.returncode == 0
    assert done.returncode in {0, 2, 3, 5}
    again = run("jobs", "list")
    assert again.returncode == 0
    assert "caf" not in told(again)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
@pytest.mark.parametrize(
    "arguments",
    [("estimate", "t2v"), ("models", "status"), ("jobs",), ("--help",), ("quota", "show")],
)
def test_a_terminal_of_few_letters_does_not_end_a_command(
    run: Callable[..., Done], arguments: tuple[str, ...], encoding: str
) -> None:
    done = run(*arguments, encoding=encoding)

    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "code"),
    [
        (("jobs", "show", "nope", "--json"), 3, "job_unknown"),
        (("quota", "show", "nobody", "--json"), 2, "not_a_choice"),
        (("estimate", "t2v", "--width", "99999", "--json"), 2, "out_of_range"),
    ],
)
def test_errors_are_json_where_json_is_asked_for(
    run: Callable[..., Done], arguments: tuple[str, ...], status: int, code: str
) -> None:
    done = run(*arguments)

    assert done.returncode == status
    assert json.loads(done.stdout)["error"]["code"] == code
    assert done.stderr == b""


def test_json_is_for_every_reader(run: Callable[..., Done]) -> None:
    done = run("jobs", "show", "ü" + HOSTILE, "--json", encoding="ascii")

    assert done.stdout.isascii()
    assert json.loads(done.stdout)["error"]["code"] == "job_unknown"


def test_models_end_like_other_commands(
    run: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAPPER_MODEL_PROFILE", "huge")
    done = run("models", "status")

    assert done.returncode == 5
    assert done.stdout == b""
    assert b"CLAPPER_MODEL_PROFILE" in done.stderr


@pytest.mark.parametrize("command", [["settings"], ["status", "--json"]])
def test_an_output_that_is_full_is_told_by_its_name(tmp_path: Path, command: list[str]) -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123  # a device
        done = subprocess.run(
            [sys.executable, "-m", "clapper", *command],
            env={**os.environ, "CLAPPER_DATA_DIR": str(tmp_path / "data")},
            stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=60,
        )  # fmt: skip

    assert done.returncode == 5
    assert "standard output: No space left on device" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_terminal_without_columns_is_written_to(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "0")

    assert "There are no jobs" in told(run("jobs"))
