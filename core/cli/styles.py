"""``clapper styles``: named styles and defaults of places, as TOML."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli.exit_codes import out
from core.cli.steering import steer_one
from core.control.commands import KeepStyles, ReadStyles
from core.domain.policy import EVERYWHERE
from core.domain.style_file import MOST_BYTES, text_of
from core.i18n.messages import say

if TYPE_CHECKING:
    from core.control.reports import StylesReport

APP = typer.Typer(help=say("help_styles"), no_args_is_help=True)
Place = Annotated[str, typer.Option(help=say("help_styles_place"))]


@APP.command("list", help=say("help_styles_list"))
def show(*, place: Place = EVERYWHERE) -> None:
    """Print the names of the styles of a place."""
    report: StylesReport = steer_one(ReadStyles(place))
    for line in report.names or [say("styles_none")]:
        out().print(line, soft_wrap=True)


@APP.command("export", help=say("help_styles_export"))
def write(
    file: Annotated[Path | None, typer.Argument(help=say("help_styles_file"))] = None,
    *,
    place: Place = EVERYWHERE,
) -> None:
    """Write the styles and defaults of a place into a file, or to the terminal."""
    report: StylesReport = steer_one(ReadStyles(place))
    if file is None:
        sys.stdout.write(report.toml)
    else:
        file.write_text(report.toml, encoding="utf-8")


@APP.command("import", help=say("help_styles_import"))
def keep(
    file: Annotated[
        Path, typer.Argument(help=say("help_styles_file"), exists=True, dir_okay=False)
    ],
    *,
    place: Place = EVERYWHERE,
) -> None:
    """Keep the styles and defaults of a file, beside those there are."""
    report: StylesReport = steer_one(KeepStyles(place, read_text(file)))
    told = {"count": len(report.names), "names": ", ".join(report.names)}
    out().print(say("styles_kept", told), soft_wrap=True)


def read_text(file: Path) -> str:
    """Read a file of styles.

    Raises:
        StylesUnreadable: it is too large, or no text.
    """
    with file.open("rb") as stream:
        return text_of(stream.read(MOST_BYTES + 1))
