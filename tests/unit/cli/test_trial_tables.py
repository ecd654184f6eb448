"""The tables of trials: what is shown of a row, and that the documents have every row."""

import re
from pathlib import Path

import pytest

from core.cli.trial_tables import control_name, trial_document
from core.comfy.trial import REPEAT, ControlTrial, TriedWorkflow
from core.domain.modes import Mode
from core.workflow.control_trials import trial_cases
from core.workflow.library import load
from tests.unit.workflow.test_control_trials import given

CONTROLS = Path(__file__).parents[3] / "docs" / "controls.md"


def test_a_row_says_what_was_changed_to_what_and_beside_which_conditions() -> None:
    assert control_name(ControlTrial("prompt", 0.1, 0.0, holds=True)) == "prompt"
    row = ControlTrial("sync", 0.1, 0.0, holds=True, value="off", beside="guided")
    assert control_name(row) == "sync = off (at quality, guided)"


def test_the_document_tells_what_changed_and_what_does_not_hold() -> None:
    rows = (
        ControlTrial("seed", 0.25, 0.5, holds=True, value="2"),
        ControlTrial("enhance", 0.0, 0.0, holds=False, value="on"),
        ControlTrial("width", 0.0, 0.0, holds=False, problem="64×64 ≠ 128×64"),
    )

    text = trial_document([TriedWorkflow(Mode.I2V, rows, real=False)])

    assert "\n## i2v\n" in text
    assert "| seed = 2 | picture, sound | 0.2500, 0.5000 | as it must |" in text
    assert "| enhance = on | nothing | 0 | NOT as it must |" in text
    assert "| width | 64×64 ≠ 128×64 |  | NOT as it must |" in text


@pytest.mark.parametrize("mode", Mode)
def test_the_documents_show_every_control_of_every_mode_and_all_of_them_hold(mode: Mode) -> None:
    section = CONTROLS.read_text("utf-8").split(f"\n## {mode.value}\n")[1].split("\n## ")[0]
    found = re.findall(r"^\| (.+?) \| .* \| as it must \|$", section, re.MULTILINE)
    cases = trial_cases(load(mode, None), given(mode))
    rows = (
        ControlTrial(case.control, 0, 0, holds=True, value=case.value, beside=case.beside.name)
        for case in cases
    )

    assert found == [*map(control_name, rows), REPEAT], "clapper workflow try --markdown"
