"""Exit statuses and sentences of the command line."""

import asyncio
import contextlib
import errno
import json
import os
import tempfile
from pathlib import Path

import pytest
import typer

from core.cli.app import COMMANDS
from core.cli.exit_codes import ExitStatus, FileAbsent, OutputRefused, err, explained_exit
from core.errors import Cancelled, ClapperError, OutOfRange, QuotaExceeded, TooManyQueued
from core.errors.setup import DataDirectoryBusy
from core.i18n.messages import explain
from core.storage.claim import put_mark


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (OutOfRange("width", 1, 2, 3), 2),
        (FileAbsent("x.png"), 2),
        (OutputRefused("x.mov"), 2),
        (QuotaExceeded(3, 2, 1), 3),
        (TooManyQueued(5), 3),
        (Cancelled(), 4),
        (DataDirectoryBusy("/data"), 5),
    ],
)
def test_every_kind_of_problem_has_its_status_and_sentence(
    capsys: pytest.CaptureFixture[str], error: ClapperError, status: int
) -> None:
    with pytest.raises(typer.Exit) as ended, explained_exit():
        raise error

    assert ended.value.exit_code == status
    assert explain(error) in capsys.readouterr().err.replace("\n", " ")


def test_problems_can_be_json(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit), explained_exit(as_json=True):
        raise TooManyQueued(5)

    error = json.loads(capsys.readouterr().out)["error"]
    assert error == {
        "code": "too_many_queued",
        "message": explain(TooManyQueued(5)),
        "data": {"limit": 5},
    }


@pytest.mark.parametrize("error", [KeyboardInterrupt, asyncio.CancelledError])
@pytest.mark.parametrize(
    ("said", "words"),
    [({}, "before it was done"), ({"interrupted": "cli_interrupted"}, "refunded")],
)
def test_an_interrupt_is_a_sentence_that_is_true_of_the_command(
    capsys: pytest.CaptureFixture[str], error: type[BaseException], said: dict[str, str], words: str
) -> None:
    with pytest.raises(typer.Exit) as ended, explained_exit(**said):  # type: ignore[arg-type]
        raise error

    told = capsys.readouterr().err
    assert ended.value.exit_code == ExitStatus.INTERRUPTED
    assert words in told
    assert ("refunded" in told) == bool(said)


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (OSError(errno.ENOSPC, "No space left", "/srv/clips/a.mp4"), 5, "/srv/clips/a.mp4 is full"),
        (PermissionError(errno.EACCES, "denied", "/srv/x"), 5, "may not read and write /srv/x"),
        (FileNotFoundError(errno.ENOENT, "gone"), 5, "is not there"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), 5, "No connection"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), 5, "invalid start byte"),
        (MemoryError(), 5, "no memory left"),
        (ExceptionGroup("", [ExceptionGroup("", [TooManyQueued(5)])]), 3, "5"),
        (ExceptionGroup("", [ZeroDivisionError()]), 70, "ZeroDivisionError"),
        (KeyError("x"), 70, "KeyError"),
        (RecursionError(), 70, "RecursionError"),
    ],
)
def test_whatever_breaks_is_a_sentence(
    capsys: pytest.CaptureFixture[str], error: Exception, status: int, words: str
) -> None:
    with pytest.raises(typer.Exit) as ended, explained_exit():
        raise error

    told = capsys.readouterr().err
    assert ended.value.exit_code == status
    assert words in told
    assert "Traceback" not in told


def test_ctrl_c_at_a_question_is_an_interrupt(capsys: pytest.CaptureFixture[str]) -> None:
    aborted = typer.Abort()
    aborted.__context__ = KeyboardInterrupt()  # as typer raises it

    with pytest.raises(typer.Exit) as ended, explained_exit():
        raise aborted

    assert ended.value.exit_code == ExitStatus.INTERRUPTED
    assert "refunded" not in capsys.readouterr().err


@pytest.mark.parametrize("error", [typer.Exit(3), SystemExit(4), BrokenPipeError()])
def test_what_is_said_elsewhere_passes(error: BaseException) -> None:
    with pytest.raises(type(error)) as passed, explained_exit():
        raise error

    assert passed.value is error


@pytest.mark.parametrize("ours", [True, False])
def test_the_details_of_a_defect_are_private_and_hold_no_secret(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    ours: bool,  # pytest passes it
) -> None:
    token = "123456789:" + "A" * 35
    monkeypatch.setenv("CLAPPER_TELEGRAM_TOKEN", token)
    monkeypatch.setenv("CLAPPER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "data").mkdir()
    if ours:
        put_mark(tmp_path / "data")
    before = os.umask(0)
    for _ in range(2):
        with pytest.raises(typer.Exit), explained_exit():
            raise KeyError(token)
    os.umask(before)

    told = capsys.readouterr().err
    reports = sorted(tmp_path.rglob("*crash*"))
    assert [path.parent.name for path in reports] == (["data"] if ours else [tmp_path.name] * 2)
    for report in reports:
        assert str(report) in told
        assert report.stat().st_mode & 0o777 == 0o600
        assert "KeyError" in report.read_text()
        assert token not in report.read_text()


def test_messages_that_nobody_reads_stop_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w", buffering=1) as gone:  # noqa: PTH123  # a descriptor has no path
        monkeypatch.setattr("sys.stderr", gone)
        console = err()
        for _ in range(3):
            console.print("still here")
        monkeypatch.undo()
        with contextlib.suppress(BrokenPipeError):
            gone.close()


def test_every_command_module_is_mounted() -> None:
    from importlib import import_module
    from pathlib import Path

    import core.cli

    folder = Path(core.cli.__file__).parent
    paths = [*folder.glob("*.py"), *(path.parent for path in folder.glob("*/__init__.py"))]
    found = {f"core.cli.{path.stem}" for path in paths if path.stem != "app"}
    with_commands = {name for name in found if hasattr(import_module(name), "APP")}

    assert with_commands == {name for name, _ in COMMANDS}
