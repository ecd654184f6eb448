"""The consoles of the command line."""

import errno
import io
import sys

import pytest
import typer
from rich.table import Table

from core.cli.core_session import announce_to
from core.cli.terminal import (
    OutputUnwritable,
    StandardOutput,
    err,
    literally,
    out,
    print_json,
)


class Gone(io.StringIO):
    """A stream whose reader went away."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number

    def write(self, text: str) -> int:
        raise OSError(self._number, "gone")


@pytest.mark.parametrize("number", [errno.EPIPE, errno.EIO, errno.ENOSPC, errno.EBADF])
def test_messages_that_nobody_reads_end_nothing(
    monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(sys, "stderr", Gone(number))
    console = err()
    announce = announce_to(console)

    for _ in range(3):
        console.print("told")
        announce("told")


def test_results_that_nobody_reads_end_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Gone(errno.EIO))

    with pytest.raises(OutputUnwritable) as caught:
        out().print("a result")

    assert caught.value.detail == "gone"
    out().print("what is said afterwards is dropped")


def test_everything_that_is_printed_is_literal(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "[bold]a[/x] :smile: \x1b[2J\x07\x7f\x9b\u202e\udce9"
    table = Table(title=hostile, caption=hostile)
    table.add_column(hostile, footer=hostile)
    table.add_row(hostile)
    table.add_row(literally(hostile, "bold"))
    console = out()
    console.width = 200
    console.print(table)
    console.print(hostile, "and", hostile, style="red")
    console.rule(hostile)

    text = capsys.readouterr().out
    shown = r"[bold]a[/x] :smile: \x1b[2J\x07\x7f\x9b\u202e\xe9"
    assert text.count(shown) >= 7
    assert not {"\x1b", "\x07", "\x7f", "\x9b", "\u202e", "\udce9"} & set(text)


def test_letters_of_every_language_stay(capsys: pytest.CaptureFixture[str]) -> None:
    text = "größer Ωμέγα Кот 日本 👩‍👩‍👧 é"  # a family is joined, an accent combined
    out().print(text)

    assert capsys.readouterr().out == text + "\n"


def test_json_is_ascii_and_whole(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"path": "caf\udce9\x9b", "seed": 2**63 - 1})

    assert capsys.readouterr().out == '{"path": "caf\\udce9\\u009b", "seed": 9223372036854775807}\n'


class Full(io.RawIOBase):
    """A place that is full."""

    def writable(self) -> bool:
        return True

    def write(self, _: object) -> int:
        raise OSError(errno.ENOSPC, "full")


def test_whoever_prints_is_told_that_standard_output_is_full(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = StandardOutput.around(io.TextIOWrapper(io.BufferedWriter(Full()), "utf-8"))
    monkeypatch.setattr(sys, "stdout", place)

    with pytest.raises(OutputUnwritable, match="full"):
        typer.echo("help of a library")
