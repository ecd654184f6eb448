"""What a restyled clip keeps of its source, seen by ComfyUI's own networks."""

from typing import TYPE_CHECKING

import numpy as np
import pytest

from core.domain.modes import Mode
from core.domain.presets import Control

if TYPE_CHECKING:
    from tests.comfy.conftest import Lab

pytestmark = [
    pytest.mark.comfy_real,
    pytest.mark.filterwarnings("ignore"),  # torch and ComfyUI warn of themselves
]


async def test_depth_guides_in_place_of_edges(lab: "Lab") -> None:
    edges = await lab.run(lab.request(Mode.STYLE, seed=70))
    depth = await lab.run(lab.request(Mode.STYLE, seed=70, control=Control.DEPTH))
    again = await lab.run(lab.request(Mode.STYLE, seed=70, control=Control.DEPTH))

    assert np.array_equal(depth.frames, again.frames)
    assert not np.array_equal(depth.frames, edges.frames)


async def test_poses_guide_in_place_of_edges(lab: "Lab") -> None:
    edges = await lab.run(lab.request(Mode.STYLE, seed=71, frames=9))
    pose = await lab.run(lab.request(Mode.STYLE, seed=71, frames=9, control=Control.POSE))

    assert not np.array_equal(pose.frames, edges.frames)
