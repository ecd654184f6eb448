"""Exit statuses and sentences of the command line."""

import json

import pytest
import typer

from core.cli.app import COMMANDS
from core.cli.exit_codes import ExitStatus, FileAbsent, OutputRefused, explained_exit
from core.errors import Cancelled, ClapperError, OutOfRange, QuotaExceeded, TooManyQueued
from core.errors.setup import DataDirectoryBusy
from core.i18n.messages import explain


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


def test_an_interrupt_is_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended, explained_exit():
        raise KeyboardInterrupt

    assert ended.value.exit_code == ExitStatus.INTERRUPTED
    assert "refunded" in capsys.readouterr().err


def test_every_command_module_is_mounted() -> None:
    from importlib import import_module
    from pathlib import Path

    import core.cli

    folder = Path(core.cli.__file__).parent
    found = {f"core.cli.{path.stem}" for path in folder.glob("*.py") if path.stem != "app"}
    with_commands = {name for name in found if hasattr(import_module(name), "APP")}

    assert with_commands == {name for name, _ in COMMANDS}
