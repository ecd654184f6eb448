"""Copies of the blocks whose large matrices are of eight bits, against the blocks."""

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from core.comfy.acceleration.block_graphs import BlockGraphs
from core.comfy.acceleration.fast_blocks import FastBlocks, eight_bit_linear
from tests.comfy.acceleration.networks import (
    KINDS,
    Network,
    eager,
    patched,
    require_device,
    use_graphs,
    ways,
)

if TYPE_CHECKING:
    from tests.comfy.conftest import Lab

pytestmark = [
    pytest.mark.comfy_real,
    pytest.mark.filterwarnings("ignore"),  # torch and ComfyUI warn of themselves
]


def fast_copies(network: Network, *, works: bool = True, free: float = 1e15) -> list[Any]:
    """Let passes go through copies of the blocks; return what was compiled, as it was."""
    made: list[Any] = []

    def compiler(forward: Callable[..., Any], *, dynamic: bool) -> Callable[..., Any]:
        assert dynamic, "one for all sizes"
        made.append(forward)

        def compiled(*given: Any, **named: Any) -> Any:
            if not works:
                raise RuntimeError("no C compiler")
            return forward(*given, **named)

        return compiled

    copies = FastBlocks(network.torch, lambda _: free, compiler)
    network.graphs = BlockGraphs(
        network.switch, network.torch, network.management, network.recorder,
        network.device.type, room=0, fast=copies,
    )  # fmt: skip
    use_graphs(network, network.graphs)
    network.switch.fast = True
    return made


@pytest.mark.parametrize("kind", KINDS)
def test_a_pass_through_copies_without_large_matrices_gives_the_same_bytes(
    network: Network, kind: str
) -> None:
    how = KINDS[kind]
    with eager(network):
        expected = [network.forward(seed, **how) for seed in (1, 2)]
    ways(network)
    compiled = fast_copies(network)

    made = [network.forward(seed, **how) for seed in (1, 2)]

    assert ways(network) == {"fast": 2}
    assert len(compiled) == 1
    assert all(network.equal(a, b) for a, b in zip(expected, made, strict=True))


def test_copies_are_made_anew_after_a_patch_and_are_not_used_where_they_are_not_asked_for(
    network: Network,
) -> None:
    fast_copies(network)
    network.forward(1)
    patcher = patched(network, 3)
    patcher.patch_model(device_to=network.device)
    with eager(network):
        expected = network.forward(2)
    ways(network)

    assert network.equal(network.forward(2), expected)
    network.switch.fast = False
    assert network.equal(network.forward(2), expected)
    assert network.equal(network.forward(2), expected)

    assert ways(network) == {"fast": 1, "recorded": 1, "replayed": 1}


@pytest.mark.parametrize("how", [{"works": False}, {"free": 0.0}])
def test_without_a_compiler_or_room_the_blocks_run_as_ever(
    network: Network, how: dict[str, Any]
) -> None:
    with eager(network):
        expected = network.forward(2)
    ways(network)
    fast_copies(network, **how)

    made = [network.forward(2) for _ in range(2)]

    assert ways(network) == {"recorded": 1, "replayed": 1}
    assert all(network.equal(expected, found) for found in made)


def test_a_pass_with_a_part_switched_off_is_exact(network: Network) -> None:
    fast_copies(network)

    network.forward(1, options={"run_ax": False})

    assert ways(network) == {"recorded": 1}


@pytest.mark.gpu
def test_a_layer_of_eight_bits_is_near_to_its_original(lab: "Lab") -> None:
    torch = importlib.import_module("torch")
    require_device("cuda")
    layer = torch.nn.Linear(2048, 1024, device="cuda", dtype=torch.bfloat16)
    rows = torch.randn(3, 100, 2048, device="cuda", dtype=torch.bfloat16)
    with torch.inference_mode():
        exact, near = layer(rows), eight_bit_linear(torch)(layer)(rows)

    assert near.shape == exact.shape
    assert (near - exact).norm() / exact.norm() < 0.06
