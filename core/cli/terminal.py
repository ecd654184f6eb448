"""The consoles of the command line: what data says is shown, never obeyed.

Names of files, prompts and accounts come from anybody. A console here takes no markup, no emoji
codes and no control characters from text; styles are given beside it (``style=``, ``Text``).
"""

import io
import json
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Self, TextIO

from rich.console import Console
from rich.text import Text

from core.errors import SetupProblem
from core.runtime.terminal_text import printable

_USUAL_WIDTH = 80


class OutputUnwritable(SetupProblem):
    """What a command says cannot be written to standard output; ``detail`` is the reason."""

    detail: str


class PlainConsole(Console):
    """A console that shows text literally."""

    def __init__(self, *, stderr: bool = False) -> None:
        """Write to standard output, or to standard error."""
        super().__init__(stderr=stderr, markup=False, emoji=False, highlight=False)
        if self.width < 1:  # COLUMNS=0, as some terminals and runners have it, would show nothing
            self.width = _USUAL_WIDTH

    def render_str(self, text: str, **options: Any) -> Text:  # noqa: ANN401  # rich's own
        """Render ``text`` with its control characters spelt out, in tables and titles too."""
        return super().render_str(printable(text), **options)

    def print(self, *objects: Any, **options: Any) -> None:  # noqa: ANN401  # rich's own
        """Print; messages to a standard error that is gone are dropped.

        Words alone are one line: paths and commands in them are copied, and read by programs.

        Raises:
            OutputUnwritable: standard output takes nothing more.
            BrokenPipeError: nobody reads it any more.
        """
        if all(isinstance(one, str) for one in objects):
            options.setdefault("soft_wrap", True)
        if not self.stderr:
            with _told_of_output():
                super().print(*objects, **options)
            return
        try:
            super().print(*objects, **options)
        except OSError:
            self.quiet = True

    def on_broken_pipe(self) -> None:
        """Go on in silence where only messages are not read; end where results are not."""
        if self.stderr:
            self.quiet = True
        else:
            super().on_broken_pipe()


def out() -> PlainConsole:
    """Make the console of results, standard output."""
    return PlainConsole()


def err() -> PlainConsole:
    """Make the console of everything else, standard error."""
    return PlainConsole(stderr=True)


def literally(text: str, style: str = "") -> Text:
    """Make ``text`` what bars and spinners show as it is: they take markup from a string."""
    return Text(printable(text), style)


class StandardOutput(io.TextIOWrapper):
    """Standard output that names what keeps it from being written, whoever prints: help too."""

    _around: TextIO

    @classmethod
    def around(cls, stream: TextIO) -> Self:
        """Write where ``stream`` writes; names may hold bytes that are no text."""
        made = cls(
            stream.buffer,
            stream.encoding,
            "backslashreplace",
            line_buffering=bool(stream.line_buffering),
            write_through=getattr(stream, "write_through", False),
        )
        made._around = stream  # else it closes the buffer of both
        return made

    def close(self) -> None:
        """Write what is kept; the stream around it closes what both write to.

        Raises:
            OutputUnwritable: it takes nothing more.
        """
        self.flush()

    def write(self, text: str, /) -> int:
        """Write ``text``.

        Raises:
            OutputUnwritable: it takes nothing more.
        """
        with _told_of_output():
            return super().write(text)

    def flush(self) -> None:
        """Write what is kept.

        Raises:
            OutputUnwritable: it takes nothing more.
        """
        with _told_of_output():
            super().flush()


def print_json(data: dict[str, Any]) -> None:
    """Print one JSON object on one line, in ASCII: any terminal and any reader takes it.

    Raises:
        OutputUnwritable: standard output takes nothing more.
    """
    if sys.stdout is None:  # pyright: ignore[reportUnnecessaryComparison]  # closed: nobody reads
        return
    with _told_of_output():
        sys.stdout.write(json.dumps(data) + "\n")
        sys.stdout.flush()


@contextmanager
def _told_of_output() -> Generator[None]:
    """Name what keeps standard output inside the block from being written; it is dropped then.

    Raises:
        OutputUnwritable: it takes nothing more.
        BrokenPipeError: nobody reads it any more, which nobody is told.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        sys.stdout = io.StringIO()  # or the end of Python tries again what is left
        raise OutputUnwritable(error.strerror or type(error).__name__) from None
