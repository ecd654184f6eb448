"""Adopted exports in a real ComfyUI: the very clip that the graph they were made from gives."""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from core.cli.workflow_try import try_workflow
from core.domain.modes import MODES, Mode
from core.errors import ClapperError, DeviceLost, OwnNodeFailed, OwnWorkflowFailed
from core.workflow.adopt import adopt
from core.workflow.adopt.pipeline import save_adoption
from core.workflow.bind import bind
from core.workflow.errors import NodeClassesMissing
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


async def tried(lab: "Lab", folder: Path, nodes: dict[str, object]) -> list[str]:
    workflow = adopt(parse(json.dumps(nodes), "mine.json"), Mode.T2V).workflow
    return [row.control for row in await try_workflow(lab.executor, workflow, folder)]


@pytest.fixture
def nodes(lab: "Lab", tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """An export whose decoder can be given a tile size."""
    monkeypatch.setattr(lab.executor, "plan", replace(lab.executor.plan, custom=tmp_path / "own"))
    return json.loads(export_of(lab, Mode.T2V))


def decoder_of(nodes: dict[str, Any]) -> dict[str, Any]:
    (found,) = [one for one in nodes.values() if one["class_type"].startswith("VAEDecode")]
    return found


async def test_frames_that_a_graph_enlarges_come_back_as_they_were_asked(
    lab: "Lab", tmp_path: Path, nodes: dict[str, Any]
) -> None:
    (saver,) = [one for one in nodes.values() if one["class_type"] == "CreateVideo"]
    larger = {"image": saver["inputs"]["images"], "upscale_method": "area", "scale_by": 2.0}
    nodes["larger"] = {"class_type": "ImageScaleBy", "inputs": larger}
    saver["inputs"]["images"] = ["larger", 0]
    save_adoption(adopt(parse(json.dumps(nodes), "mine.json"), Mode.T2V).workflow, tmp_path / "own")
    request = lab.request(Mode.T2V, seed=79)

    made = await lab.run(request)

    sampling = request.sampling
    assert made.frames.shape[:3] == (sampling.frames, sampling.height, sampling.width)


async def test_a_trial_of_classes_that_comfyui_does_not_have_names_them(
    lab: "Lab", tmp_path: Path, nodes: dict[str, Any]
) -> None:
    nodes["own"] = {"class_type": "SomebodysBlur", "inputs": {"image": None}}
    (saver,) = [one for one in nodes.values() if one["class_type"] == "CreateVideo"]
    nodes["own"]["inputs"]["image"] = saver["inputs"]["images"]
    saver["inputs"]["images"] = ["own", 0]

    with pytest.raises(NodeClassesMissing, match="SomebodysBlur"):
        await tried(lab, tmp_path, nodes)


async def test_a_trial_says_which_node_failed_and_why(
    lab: "Lab", tmp_path: Path, nodes: dict[str, Any]
) -> None:
    expression = {"expression": "a / 0", "values.a": 64}
    nodes["tile"] = {"class_type": "ComfyMathExpression", "inputs": expression,
                     "_meta": {"title": "My tile"}}  # fmt: skip
    tiles = {"overlap": 64, "temporal_size": 64, "temporal_overlap": 8, "tile_size": ["tile", 1]}
    decoder = decoder_of(nodes)
    decoder["class_type"], decoder["inputs"] = "VAEDecodeTiled", {**decoder["inputs"], **tiles}

    with pytest.raises(OwnNodeFailed) as caught:
        await tried(lab, tmp_path, nodes)

    assert (caught.value.node, caught.value.title) == ("tile", "My tile")
    assert "zero" in caught.value.problem


def interrupts() -> None:
    sys.modules["nodes"].interrupt_processing()


def raises(error: BaseException) -> Callable[[], None]:
    def broken() -> None:
        raise error

    return broken


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (raises(RuntimeError("a node that nobody knows")), OwnWorkflowFailed),
        (raises(SystemExit(3)), OwnWorkflowFailed),
        (interrupts, OwnWorkflowFailed),
        (raises(RuntimeError("CUDA error: an illegal memory access")), DeviceLost),
    ],
)
async def test_a_node_that_breaks_is_the_fault_of_its_graph_unless_the_device_is_lost(
    lab: "Lab",
    tmp_path: Path,
    nodes: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[[], None],
    kind: type[ClapperError],
) -> None:
    save_adoption(adopt(parse(json.dumps(nodes), "mine.json"), Mode.T2V).workflow, tmp_path / "own")
    decoder = sys.modules["nodes"].NODE_CLASS_MAPPINGS[decoder_of(nodes)["class_type"]]
    decode = decoder.decode

    def breaks(*given: object, **named: object) -> object:
        fault()
        return decode(*given, **named)

    monkeypatch.setattr(decoder, "decode", breaks)

    with pytest.raises(kind):
        await lab.run(lab.request(Mode.T2V, seed=79))
