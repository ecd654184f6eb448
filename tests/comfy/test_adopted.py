"""Adopted exports in a real ComfyUI: the very clip that the graph they were made from gives."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from core.domain.modes import MODES, Mode
from core.workflow.adopt import adopt
from core.workflow.adopt.pipeline import save_adoption
from core.workflow.bind import bind
from core.workflow.graph import parse
from core.workflow.input_files import inputs_of
from core.workflow.library import load
from tests.workflows.disguise import disguised

if TYPE_CHECKING:
    from tests.comfy.conftest import Lab

pytestmark = [
    pytest.mark.comfy_real,
    # torch and ComfyUI warn of themselves, when the lab is started
    pytest.mark.filterwarnings("ignore"),
]

# a film goes on by a graph of its own alone
ADOPTABLE = [mode for mode in Mode if not MODES[mode].continues]


def export_of(lab: "Lab", mode: Mode) -> str:
    """Write what somebody would export: other values than the test will ask for."""
    workflow, plan = load(mode, None), lab.executor.plan
    request = lab.request(mode, prompt="placeholder", seed=5, side=256, frames=9)
    staged = {item.role: item.file.name for item in inputs_of(workflow, request)}
    names = plan.family.names(plan.profile)
    bound = bind(workflow, request, names, staged, "job", plan.choices(), plan.family)
    return json.dumps(disguised(bound.graph))


@pytest.mark.parametrize("mode", ADOPTABLE)
async def test_an_adopted_export_makes_the_clip_of_the_graph_it_came_from(
    lab: "Lab", tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: Mode
) -> None:
    request = lab.request(mode, seed=77)
    own = await lab.run(request)
    save_adoption(adopt(parse(export_of(lab, mode), "mine.json"), mode).workflow, tmp_path)
    assert load(mode, tmp_path).custom
    monkeypatch.setattr(lab.executor, "plan", replace(lab.executor.plan, custom=tmp_path))

    adopted = await lab.run(request)

    assert lab.executor.resident == f"custom {mode}"
    assert np.array_equal(adopted.frames, own.frames)
    assert adopted.sound is not None
    assert own.sound is not None
    assert np.array_equal(adopted.sound.samples, own.sound.samples)
    other = await lab.run(lab.request(mode, seed=78))
    assert not np.array_equal(other.frames, own.frames), "the seed reaches the adopted graph"
