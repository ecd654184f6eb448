"""Operations that share a kernel, against single ones."""

import importlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from core.comfy.acceleration.block_graphs import BlockGraphs
from core.comfy.acceleration.constant_tables import look_at_masks_in_memory
from core.comfy.acceleration.fused_pointwise import FusedPointwise, asked_first
from core.comfy.acceleration.switch import Acceleration
from core.comfy.device import DeviceKind, device_kind
from tests.comfy.acceleration.networks import (
    KINDS,
    Network,
    eager,
    use_graphs,
    ways,
)

if TYPE_CHECKING:
    from tests.comfy.conftest import Lab

pytestmark = [
    pytest.mark.comfy_real,
    pytest.mark.filterwarnings("ignore"),  # torch and ComfyUI warn of themselves
]


@dataclass
class PlainKernels:
    """What the kernels of a device compute, by torch's own; counts how often."""

    torch: Any
    spoilt: bool = False  # computes something else
    used: Counter[str] = field(default_factory=Counter[str])

    def _row(self, values: Any, group: int) -> Any:
        wide = values[:, None].expand(-1, group, -1)
        return wide.reshape(-1, values.shape[1])

    def prepare(self, like: Any) -> None:
        pass

    def modulate(self, x: Any, scale: Any, shift: Any, group: int) -> Any:
        self.used["modulate"] += 1
        return x * self._row(scale, group) + self._row(shift, group) + int(self.spoilt)

    def multiply(self, x: Any, scale: Any, group: int) -> Any:
        self.used["multiply"] += 1
        return x * self._row(scale, group)

    def add_product(self, out: Any, x: Any, gate: Any, group: int, *, at_once: bool) -> None:
        self.used["at once" if at_once else "in two"] += 1
        rows = self._row(gate, group)
        _ = out.addcmul_(x, rows) if at_once else out.add_(x * rows)

    def by_head(self, x: Any, gate: Any) -> Any:
        self.used["by head"] += 1
        return x * gate.unsqueeze(-1)

    def rotate(self, x: Any, cos: Any, sin: Any) -> Any:
        self.used["rotate"] += 1
        model = importlib.import_module("comfy.ldm.lightricks.model")
        return model.apply_split_rotary_emb(x, cos, sin)


# heads that the kernels take: each half of one is a multiple of 16 values
WIDE = {
    "attention_head_dim": 64,
    "audio_attention_head_dim": 32,
    "cross_attention_dim": 128,
    "audio_cross_attention_dim": 64,
}


def fused_in(network: Network, *, spoilt: bool = False) -> tuple[Network, PlainKernels]:
    """Return a wider network whose recordings are fused, and the kernels on a processor."""
    wide = Network(network.device.type, network.recorder, **WIDE)
    package = importlib.import_module("comfy.ldm.lightricks")
    plain = PlainKernels(wide.torch, spoilt)
    kernels: Any = plain
    if network.device.type == "cuda" and wide.torch.cuda.get_allocator_backend() != "native":
        pytest.skip("Triton cannot be recorded with this allocator: --comfy-vram high")
    if network.device.type == "cuda" and not spoilt:
        module = importlib.import_module("core.comfy.acceleration.pointwise_kernels")
        kernels = module.PointwiseKernels()
    wide.switch, wide.plain = network.switch, network.plain
    wide.graphs = BlockGraphs(
        wide.switch, wide.torch, wide.management, wide.recorder, wide.device.type, room=0,
        fused=FusedPointwise(wide.torch, package, kernels, (wide.dtype,)),
    )  # fmt: skip
    use_graphs(wide, wide.graphs)
    return wide, plain


@pytest.mark.parametrize("kind", KINDS)
def test_fused_kernels_give_the_bytes_of_single_ones(network: Network, kind: str) -> None:
    network, kernels = fused_in(network)
    how = KINDS[kind]
    with eager(network):
        expected = [network.forward(seed, **how) for seed in (1, 2, 3)]
    ways(network)

    made = [network.forward(seed, **how) for seed in (1, 2, 3)]

    assert ways(network) == {"recorded": 1, "replayed": 2}
    assert all(network.equal(a, b) for a, b in zip(expected, made, strict=True))
    if network.device.type == "cpu":  # three blocks, three times: looked at, and replayed twice
        assert {name: count / 9 for name, count in kernels.used.items()} == {
            "modulate": 12,
            "at once": 6,
            "in two": 2,
            "by head": 6,
            "rotate": 8,
        }


def test_fused_kernels_are_recorded_where_the_device_is_slower_too(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, _ = fused_in(network)
    marks = iter([lambda: False])  # after the first pass the device is still at work
    monkeypatch.setattr(network.recorder, "mark", lambda: next(marks, lambda: True))

    network.forward(1)

    assert ways(network) == {"recorded": 1}


def test_fused_kernels_are_compared_once_for_each_kind_of_pass(network: Network) -> None:
    network, kernels = fused_in(network)
    if network.device.type != "cpu":
        pytest.skip("the kernels of a device are not counted")

    used: list[bool] = []
    for how in ({}, {"frames": 3}, {"masked": True}, {"masked": True, "frames": 4}):
        before = kernels.used.total()
        network.forward(1, **how)
        used.append(kernels.used.total() > before)

    assert used == [True, False, True, False]
    assert ways(network) == {"recorded": 4}


def test_kernels_that_cannot_be_compiled_are_left_out(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, kernels = fused_in(network, spoilt=True)

    def prepare(like: Any) -> None:
        raise RuntimeError(f"no compiler for {like.dtype}")

    monkeypatch.setattr(kernels, "prepare", prepare)
    with eager(network):
        expected = network.forward(2)
    ways(network)

    made = [network.forward(2) for _ in range(2)]

    assert ways(network) == {"recorded": 1, "replayed": 1}
    assert all(network.equal(expected, found) for found in made)
    assert not kernels.used


def test_operators_of_another_thread_are_torchs_own_meanwhile(network: Network) -> None:
    torch = network.torch
    asked: list[str] = []

    def handler(*given: Any) -> Any:
        asked.append("own")
        return NotImplemented

    values = torch.ones(3)
    with asked_first(torch.Tensor, {"__mul__": handler}), ThreadPoolExecutor(1) as other:
        assert torch.equal(values * 2, values + values)
        assert torch.equal(other.submit(lambda: values * 2).result(), values + values)
    assert torch.equal(values * 2, values + values)

    assert asked == ["own"]
    assert "__mul__" not in vars(torch.Tensor)


def test_a_mask_is_copied_once_for_all_steps_and_anew_when_it_changes(lab: "Lab") -> None:
    torch = importlib.import_module("torch")
    seen: list[Any] = []

    class Model:
        def _process_input(self, x: Any, places: Any, mask: Any, **others: Any) -> None:
            seen.append(mask)

    switch = Acceleration()
    look_at_masks_in_memory(Model, switch)
    whole = torch.ones(1, 8, 2, 4, 4)
    other, model = torch.zeros(1, 8, 2, 4, 4), Model()
    if device_kind() is DeviceKind.CUDA:
        whole, other = whole.cuda(), other.cuda()

    for mask in (whole[:, :4], whole[:, :4], whole[:, 4:], other[:, :4]):
        model._process_input(None, None, mask)  # pyright: ignore[reportPrivateUsage]  # the seam
    whole[:, :4].mul_(0)
    model._process_input(None, None, whole[:, :4])  # pyright: ignore[reportPrivateUsage]  # as above

    assert [mask.device.type for mask in seen] == ["cpu"] * 5
    assert seen[0] is seen[1]
    assert [bool(mask.any()) for mask in seen[-2:]] == [False, False]
    switch.enabled = False
    model._process_input(None, None, whole)  # pyright: ignore[reportPrivateUsage]  # as above
    assert seen[-1] is whole


def test_kernels_that_make_other_bytes_are_never_used_again(network: Network) -> None:
    network, kernels = fused_in(network, spoilt=True)
    with eager(network):
        expected = network.forward(2)
    ways(network)

    made = [network.forward(2) for _ in range(3)]

    assert ways(network) == {"recorded": 1, "replayed": 2}
    assert all(network.equal(expected, found) for found in made)
    before = kernels.used.total()
    network.forward(1, frames=3)
    assert kernels.used.total() == before
