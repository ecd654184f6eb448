"""Whole clips of the service, with recorded passes and without."""

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from core.comfy.acceleration.block_graphs import BlockGraphs
from core.comfy.acceleration.install import forget_with_weights
from core.comfy.acceleration.recording import CudaRecorder
from core.comfy.acceleration.switch import Acceleration
from core.comfy.device import DeviceKind
from core.domain.modes import Mode
from tests.comfy.acceleration.networks import (
    RedoingRecorder,
)

if TYPE_CHECKING:
    from tests.comfy.conftest import Lab

pytestmark = [
    pytest.mark.comfy_real,
    pytest.mark.filterwarnings("ignore"),  # torch and ComfyUI warn of themselves
]


@dataclass
class Watched:
    """The running service with graphs in place of its own, which need a CUDA device."""

    lab: "Lab"
    switch: Acceleration
    recorder: Any


@pytest.fixture
def watched(lab: "Lab", unaccelerated: None, monkeypatch: pytest.MonkeyPatch) -> Watched:
    torch = importlib.import_module("torch")
    owner = importlib.import_module("comfy.ldm.lightricks.av_model").LTXAVModel
    patchers = importlib.import_module("comfy.model_patcher")
    management = importlib.import_module("comfy.model_management")
    device = "cuda" if lab.executor.options.device is DeviceKind.CUDA else "cpu"
    made = Watched(
        lab, Acceleration(), CudaRecorder(torch) if device == "cuda" else RedoingRecorder()
    )
    graphs = BlockGraphs(made.switch, torch, management, made.recorder, device, room=0)
    replaced = [(owner, "_process_transformer_blocks")]
    replaced += [(patchers.ModelPatcher, name) for name in ("unpatch_model", "partially_unload")]
    for place, name in replaced:  # and all of it back at the end
        monkeypatch.setattr(place, name, place.__dict__[name])
    graphs.install(owner)
    forget_with_weights(patchers, [("diffusion_model", graphs)])
    return made


def paged(lab: "Lab") -> bool:
    """Tell whether weights come to the device in the pass, so that no graph may read them."""
    engine = lab.executor.engine
    assert engine is not None
    return engine.dynamic_vram


@pytest.mark.parametrize("mode", Mode)
async def test_a_clip_is_the_same_with_and_without(watched: Watched, mode: Mode) -> None:
    """Everything but the text, whose matrices are smaller without padding."""
    lab, switch = watched.lab, watched.switch
    switch.enabled = False
    before = await lab.run(lab.request(mode, seed=71))
    assert set(switch.take_forwards()) == {"off"}
    switch.enabled = True
    await lab.run(lab.request(mode, seed=72))  # or ComfyUI would give what it sampled before
    switch.take_forwards()

    after = await lab.run(lab.request(mode, seed=71))

    assert (before.frames == after.frames).all()
    counted = switch.take_forwards()
    if paged(lab):
        assert set(counted) == {"paging"}
        return
    # a guide needs another LoRA in stage 1, so that weights change twice in each of its clips
    assert counted.get("recorded", 0) == (2 if mode is Mode.STYLE else 0)
    assert sum(counted.values()) == counted.get("recorded", 0) + counted["replayed"]


async def test_what_was_recorded_goes_when_models_leave_the_device(watched: Watched) -> None:
    lab, switch = watched.lab, watched.switch
    if paged(lab):
        pytest.skip("nothing is recorded where weights are paged: needs CLAPPER_VRAM=high")
    await lab.run(lab.request(Mode.T2V, seed=73))
    engine = lab.executor.engine
    assert engine is not None
    switch.take_forwards()

    engine.free()
    await lab.run(lab.request(Mode.T2V, seed=74))

    assert switch.take_forwards()["recorded"] == 2
