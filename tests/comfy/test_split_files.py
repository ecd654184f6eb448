"""A checkpoint in parts, each a file with its own loader, against ComfyUI's own loaders."""

import importlib
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from core.comfy.testing.network_shapes import TINY
from core.comfy.testing.random_weights import RandomWeightsWriter
from core.domain.modes import Mode
from core.models.catalog import Profile

if TYPE_CHECKING:
    from tests.comfy.conftest import Lab

pytestmark = [
    pytest.mark.comfy_real,
    pytest.mark.filterwarnings("ignore"),  # torch and ComfyUI warn of themselves
]


@pytest.mark.parametrize("mode", [Mode.T2V, Mode.STYLE])
async def test_the_parts_make_the_clip_of_the_whole_checkpoint(lab: "Lab", mode: Mode) -> None:
    request, plan = lab.request(mode), lab.executor.plan
    whole = await lab.run(request)
    torch = importlib.import_module("torch")
    family = RandomWeightsWriter(torch, TINY, profiles=(Profile.SMALL,)).family(lab.place.models)
    lab.executor.plan = replace(plan, family=family, profile=Profile.SMALL)
    try:
        split = await lab.run(request)
    finally:
        lab.executor.plan = plan

    assert np.array_equal(split.frames, whole.frames)
    if whole.sound is not None and mode is Mode.T2V:
        assert split.sound is not None
        assert np.array_equal(split.sound.samples, whole.sound.samples)
