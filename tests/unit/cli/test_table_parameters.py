"""What the tables of options and modes say is what the command line takes."""

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from core.cli import estimate, generate
from core.cli.table_parameters import file_parameters, option_parameters, takes
from core.domain.media import MediaKind
from core.domain.modes import MODES, MediaSlot, Mode, ModeSpec
from core.domain.options import OPTIONS, Option
from core.i18n.option_words import mode_summary, option_hint
from tests.support.option_rows import LIMITS, NEW_ROWS, add_rows, value_of

ROLES = {slot.role: [] for spec in MODES.values() for slot in spec.every_slot}


def parameters_of(app: typer.Typer, command: str) -> dict[str, Any]:
    found: Any = typer.main.get_command(app)
    found = getattr(found, "commands", {}).get(command, found)  # one command is no group
    return {item.name: item for item in found.params}


def probe(*parameters: inspect.Parameter) -> tuple[Callable[..., str], dict[str, Any]]:
    """A command of these parameters, and what it was given."""
    app, seen = typer.Typer(), dict[str, Any]()

    @app.command()
    @takes(*parameters)
    def command(**given: Any) -> None:
        seen.update(given)

    def call(*arguments: str) -> str:
        result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "300"})
        assert result.exit_code == 0, result.output
        return result.output

    return call, seen


@pytest.mark.parametrize("option", OPTIONS.values(), ids=lambda option: option.name)
def test_generate_takes_every_option_with_its_hint_and_choices(option: Option) -> None:
    taken = parameters_of(generate.APP, "generate")[option.name]

    assert f"--{option.name.replace('_', '-')}" in taken.opts
    help_text = taken.help
    assert help_text.startswith(option_hint(option, LIMITS))
    assert all(choice in help_text for choice in option.choices)


def test_the_short_flags_are_those_of_generate_alone() -> None:
    taken = parameters_of(generate.APP, "generate")

    short = {name: [o for o in item.opts if not o.startswith("--")] for name, item in taken.items()}
    assert {name: flags for name, flags in short.items() if flags} == {
        "mode": ["mode"],
        "file": ["-o"],
        "prompt": ["-p"],
        "seconds": ["-s"],
    }


@pytest.mark.parametrize("mode", MODES)
def test_generate_and_estimate_say_what_each_mode_makes_and_takes(mode: Mode) -> None:
    for app, command in ((generate.APP, "generate"), (estimate.APP, "estimate")):
        text = parameters_of(app, command)["mode"].help
        assert f"{mode}: {mode_summary(mode)}." in text

    taken = parameters_of(generate.APP, "generate")
    for slot in MODES[mode].slots:
        assert mode in taken[slot.role].help


@pytest.mark.parametrize("option", NEW_ROWS, ids=lambda option: option.name)
def test_a_new_row_of_any_kind_has_its_parameter_and_its_value_arrives(
    option: Option, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_rows(monkeypatch)
    value, flag = value_of(option), f"--{option.name.replace('_', '-')}"
    call, seen = probe(*option_parameters(OPTIONS.values()))

    text = call("--help")
    assert flag in text
    assert f"What {option.name} does." in text
    line = next(line for line in text.splitlines() if flag in line)
    assert ("Only for style." in line) is (option.modes is not None)
    call()
    assert seen[option.name] == option.blank
    call(flag, str(value))
    assert (seen[option.name], type(seen[option.name])) == (value, type(value))


def test_a_role_of_a_new_mode_has_its_parameter(monkeypatch: pytest.MonkeyPatch) -> None:
    slots = (MediaSlot("mask", MediaKind.IMAGE), MediaSlot("video", MediaKind.VIDEO))
    monkeypatch.setitem(MODES, Mode.T2V, ModeSpec(Mode.T2V, slots))
    call, seen = probe(*file_parameters())

    text = call("--help")
    assert "For t2v: mask." in text
    assert "For t2v, style, extend: a video." in text
    call("--mask", "m.png")
    assert seen["mask"] == Path("m.png")
    assert seen.keys() == {"mask", *ROLES}


def test_two_parameters_of_one_name_are_refused_when_the_command_is_made() -> None:
    row = OPTIONS["seconds"]

    with pytest.raises(ValueError, match=row.name):
        probe(*option_parameters([row, row]))


COSTING = [option for option in OPTIONS.values() if option.costs]


@pytest.mark.parametrize("option", COSTING, ids=lambda option: option.name)
def test_what_changes_the_cost_can_be_estimated(
    option: Option, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAPPER_DATA_DIR", str(tmp_path))
    mode = next(mode for mode in Mode if option.offered_in(mode))
    asked = ["estimate", mode, "--hardware", "h200", "--profile", "bf16", "--json"]
    asked += [] if option.name == "preset" else ["--preset", "quality"]  # which has every cost

    plain, changed = (
        json.loads(CliRunner().invoke(estimate.APP, [*asked, *more]).stdout)
        for more in ([], [f"--{option.name}", str(value_of(option))])
    )

    assert plain["total_s"] != changed["total_s"]


def test_estimate_takes_what_changes_the_cost_and_no_other_option() -> None:
    taken = parameters_of(estimate.APP, "estimate").keys()

    assert taken & OPTIONS.keys() == {option.name for option in COSTING}
