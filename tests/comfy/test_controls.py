"""What a restyled clip keeps of its source, seen by ComfyUI's own networks."""

import importlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from core.comfy.testing.stand_ins import StandInFiles
from core.domain.modes import Mode
from core.domain.presets import Control
from core.models.catalog import Profile
from core.runtime.cancellation import CancelToken

if TYPE_CHECKING:
    from tests.comfy.conftest import Lab

pytestmark = [
    pytest.mark.comfy_real,
    pytest.mark.filterwarnings("ignore"),  # torch and ComfyUI warn of themselves
    pytest.mark.timeout(900),  # these networks look at every frame at a size of their own
]


async def test_depth_guides_in_place_of_edges(lab: "Lab") -> None:
    edges = await lab.run(lab.request(Mode.STYLE, seed=70, frames=9))
    depth = await lab.run(lab.request(Mode.STYLE, seed=70, frames=9, control=Control.DEPTH))
    again = await lab.run(lab.request(Mode.STYLE, seed=70, frames=9, control=Control.DEPTH))

    assert np.array_equal(depth.frames, again.frames)
    assert not np.array_equal(depth.frames, edges.frames)


async def test_poses_guide_a_whole_clip_in_place_of_edges(lab: "Lab") -> None:
    edges = await lab.run(lab.request(Mode.STYLE, seed=71, frames=9))
    poses = await lab.run(lab.request(Mode.STYLE, seed=71, frames=9, control=Control.POSE))

    assert poses.frames.shape == edges.frames.shape
    assert not np.array_equal(poses.frames, edges.frames)
    lab.rows.append(("style", "pose, 9 frames", f"{poses.gpu_ms} ms, {edges.gpu_ms} of edges"))


async def test_poses_are_drawn_of_whoever_was_found(lab: "Lab") -> None:
    """One frame, node by node."""
    golden = Path(__file__).parents[1] / "workflows" / "golden" / "style-pose.json"
    graph = json.loads(golden.read_text("utf-8"))
    torch, nodes, sd = (importlib.import_module(name) for name in ("torch", "nodes", "comfy.sd"))
    models, names = lab.place.models, lab.family.names(Profile.FP8)
    seeing = lab.family.files_for(Mode.STYLE, Profile.FP8, control=Control.POSE)
    await StandInFiles(models).ensure(seeing, lambda _: None, CancelToken())

    def run(node: str, **linked: object) -> Any:  # what a node of ComfyUI gives
        kind, inputs = graph[node]
        return nodes.NODE_CLASS_MAPPINGS[kind].execute(**{**inputs, **linked})[0]

    with torch.inference_mode():
        sees, _, encodes, _ = sd.load_checkpoint_guess_config(
            str(models / "checkpoints" / names.pose), output_clip=False
        )
        finds = sd.load_diffusion_model(str(models / "diffusion_models" / names.people))
        frame = torch.rand((1, 64, 64, 3), generator=torch.Generator().manual_seed(1))
        found = run("people_seen", model=finds, image=frame)
        person = [[{"x": 5.0, "y": 5.0, "width": 30.0, "height": 50.0}]]
        points = run("pose_seen", model=sees, vae=encodes, image=frame, bboxes=person)
        drawn = run("control_edges", keypoints=points)

    assert len(found) == 1
    assert len(points[0]["people"]) == 1
    assert drawn.shape == frame.shape
    assert drawn.max() > 0
