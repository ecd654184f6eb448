"""What stays on the device between runs, against ComfyUI's own classes."""

import importlib
from typing import TYPE_CHECKING

import pytest

from core.comfy import memory

if TYPE_CHECKING:
    from tests.comfy.conftest import Kept

pytestmark = [
    pytest.mark.comfy_real,
    pytest.mark.filterwarnings("ignore"),  # torch and ComfyUI warn of themselves
]


def test_the_upscaler_stays_where_models_are_kept_and_leaves_once_they_may(kept: "Kept") -> None:
    torch = importlib.import_module("torch")
    upsampler = importlib.import_module("comfy.ldm.lightricks.latent_upsampler")
    with torch.device("meta"):  # a device of its own on every machine; nothing leaves it
        model = upsampler.LatentUpsampler(mid_channels=32)

    assert model.cpu() is model
    assert {weight.device.type for weight in model.parameters()} == {"meta"}

    memory.allow_offloading(kept.management)

    with pytest.raises(NotImplementedError):
        model.cpu()
