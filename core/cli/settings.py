"""``clapper settings``: every setting as it holds now, and where its value comes from."""

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from core.cli.exit_codes import out, print_json
from core.i18n.messages import name, say
from core.settings import (
    SettingInForce,
    SettingOrigin,
    load_settings,
    look_at_names,
    settings_in_force,
)

APP = typer.Typer()


@APP.command("settings", help=say("help_settings"))
def show_settings(
    *,
    changed: Annotated[bool, typer.Option("--set", help=say("help_settings_set"))] = False,
    as_json: Annotated[bool, typer.Option("--json", help=say("help_json"))] = False,
) -> None:
    """Print the settings; secrets are shown as set, never as they are."""
    found = [one for one in settings_in_force(load_settings())
             if not changed or one.origin is not SettingOrigin.DEFAULT]  # fmt: skip
    names = look_at_names()
    unknown = names.unknown
    if as_json:
        rows = [
            {"name": one.name, "value": one.value, "from": one.origin, "file": str(one.file or "")}
            for one in found
        ]
        print_json({
            "settings": rows,
            "unknown": [one.name for one in unknown],
            "repeated": [repeated for repeated, _ in names.repeated],
        })  # fmt: skip
        return
    console = out()
    console.print(_table(found))
    for one in unknown:
        code = "settings_unknown_near" if one.nearest else "settings_unknown"
        console.print(say(code, {"name": one.name, "nearest": one.nearest}))
    for repeated, path in names.repeated:
        console.print(say("settings_repeated", {"name": repeated, "path": path}))


def _table(found: list[SettingInForce]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("setting", "value", "origin"):
        table.add_column(say(f"cli_column_{column}"), overflow="fold")
    for one in found:
        origin = str(one.file) if one.file else name(one.origin)
        style = "dim" if one.origin is SettingOrigin.DEFAULT else ""
        table.add_row(one.name, Text(one.value), Text(origin), style=style)
    return table
