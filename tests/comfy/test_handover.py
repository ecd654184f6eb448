"""Decoded pictures become bytes, whatever the order that a decoder leaves them in."""

import importlib
import importlib.util
from pathlib import Path

import numpy as np
import pytest

from core.comfy.output_node import as_frames

pytestmark = pytest.mark.comfy_real


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("count", [1, 8, 17])
def test_planes_of_colours_become_pixels_in_order(
    channels: int, count: int, tmp_path: Path
) -> None:
    if importlib.util.find_spec("torch") is None:
        pytest.skip("torch is missing: clapper comfy install")
    torch = importlib.import_module("torch")
    values = np.random.default_rng(5).random((1, channels, count, 6, 10), np.float32)
    values[0, :, 0, 0, :3] = [-0.5, 1.5, 0.999]
    planes = torch.from_numpy(values).movedim(1, -1)
    images = planes.reshape(-1, 6, 10, channels)
    assert not images.is_contiguous()

    frames = as_frames(images, tmp_path, torch.from_numpy)

    wanted = np.round(np.clip(np.moveaxis(values[0], 0, -1) * 255, 0, 255))[..., :3]
    assert frames.dtype == np.uint8
    assert np.array_equal(frames, wanted)
