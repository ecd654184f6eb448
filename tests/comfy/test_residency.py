"""What stays on the device between runs, against ComfyUI's own classes."""

import importlib
from typing import TYPE_CHECKING

import pytest

from core.comfy import memory

if TYPE_CHECKING:
    from tests.comfy.conftest import Lab

pytestmark = [
    pytest.mark.comfy_real,
    pytest.mark.filterwarnings("ignore"),  # torch and ComfyUI warn of themselves
]


def test_the_upscaler_stays_on_the_device_where_models_are_kept(
    lab: "Lab", monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lab.executor.engine is not None
    torch = importlib.import_module("torch")
    upsampler = importlib.import_module("comfy.ldm.lightricks.latent_upsampler")
    model_class = upsampler.LatentUpsampler
    monkeypatch.setattr(model_class, "cpu", model_class.cpu)  # as it was, for the other tests
    with torch.device("meta"):  # a device of its own on every machine; nothing leaves it
        model = model_class(mid_channels=32)
    with pytest.raises(NotImplementedError):
        model.cpu()

    memory.keep_upscaler(upsampler)

    assert model.cpu() is model
    assert {weight.device.type for weight in model.parameters()} == {"meta"}
