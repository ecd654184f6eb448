"""Every control of every mode acts where it must, and changes nothing where it must not."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.cli.trial_tables import control_name
from core.cli.workflow_try import try_cases, write_inputs
from core.comfy.testing.stand_ins import written_in_words
from core.comfy.trial import REPEAT, TOKENS
from core.domain.modes import Mode
from core.workflow.control_trials import trial_cases, unproven
from core.workflow.library import load

if TYPE_CHECKING:
    from tests.comfy.conftest import Lab

pytestmark = [
    pytest.mark.comfy_real,
    pytest.mark.filterwarnings("ignore"),  # torch and ComfyUI warn of themselves
    pytest.mark.timeout(1200),
]


@pytest.mark.parametrize("mode", Mode)
async def test_every_control_of_every_mode_does_what_it_must(
    lab: "Lab", tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: Mode
) -> None:
    workflow, plan = load(mode, None), lab.executor.plan
    cases = trial_cases(workflow, write_inputs(mode, tmp_path / "media"))
    assert unproven(workflow, cases) == []
    family = replace(plan.family, enhanced_tokens=TOKENS)
    monkeypatch.setattr(lab.executor, "plan", replace(plan, family=family))

    with written_in_words():
        rows = await try_cases(lab.executor, workflow, tmp_path, cases)

    for row in rows:
        told = row.problem or f"{row.picture:.4f} {row.sound:.4f}"
        lab.rows.append((mode.value, control_name(row), told, "ok" if row.holds else "IDLE"))
    assert [control_name(row) for row in rows if not row.holds] == []
    assert rows[-1].control == REPEAT


def test_the_command_tries_the_workflow_in_use(lab: "Lab", tmp_path: Path) -> None:
    told = tmp_path / "table.md"
    own = {
        "CLAPPER_DATA_DIR": str(tmp_path / "data"),
        "CLAPPER_COMFYUI_DIR": str(lab.place.checkout),
        "CLAPPER_MODELS_DIR": str(tmp_path / "none"),
        "OMP_NUM_THREADS": "1",
    }

    done = subprocess.run(
        [sys.executable, "clapper.py", "workflow", "try", "--mode", "t2v", "--markdown", str(told)],
        env={**os.environ, **own}, cwd=Path(__file__).parents[2], capture_output=True, text=True,
        timeout=600, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr + done.stdout
    rows = re.findall(r"^\| (.+?) \|.*\| as it must \|$", told.read_text("utf-8"), re.MULTILINE)
    cases = trial_cases(load(Mode.T2V, None), write_inputs(Mode.T2V, tmp_path / "media"))
    assert len(rows) == len(cases) + 1
