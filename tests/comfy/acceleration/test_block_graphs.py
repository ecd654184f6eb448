"""The transformer's blocks as one graph, against ComfyUI's own loop over them."""

import importlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from core.comfy.acceleration.block_graphs import SHAPES
from core.comfy.acceleration.switch import Forward
from core.comfy.acceleration.weights import addresses
from core.comfy.own_nodes.guidance import STG_OPTION
from tests.comfy.acceleration.networks import (
    KINDS,
    Network,
    eager,
    patched,
    use_graphs,
    ways,
)

if TYPE_CHECKING:
    from tests.comfy.conftest import Lab

pytestmark = [
    pytest.mark.comfy_real,
    pytest.mark.filterwarnings("ignore"),  # torch and ComfyUI warn of themselves
]


@pytest.mark.parametrize("kind", KINDS)
def test_a_replayed_pass_gives_the_bytes_of_an_eager_one(network: Network, kind: str) -> None:
    how = KINDS[kind]
    with eager(network):
        expected = [network.forward(seed, **how) for seed in (1, 2, 3)]
    assert ways(network) == {"off": 3}

    made = [network.forward(seed, **how) for seed in (1, 2, 3)]

    assert ways(network) == {"recorded": 1, "replayed": 2}
    assert all(network.equal(a, b) for a, b in zip(expected, made, strict=True))
    assert not network.equal(made[1], made[2]), "inputs make a difference"


def test_a_graph_is_for_its_shapes_flags_and_masks_alone(network: Network) -> None:
    asked: list[dict[str, Any]] = [
        {"frames": 2},
        {"frames": 3},
        {"frames": 2, "options": {"run_ax": False}},
        {"frames": 2, "options": {"a2v_cross_attn": False, "v2a_cross_attn": False}},
        {"frames": 2, "options": {STG_OPTION: frozenset({1})}},
        {"frames": 2, "guided": True},
        {"frames": 2, "masked": True},
    ]
    with eager(network):
        expected = [network.forward(9, **how) for how in asked]
    ways(network)

    for how in asked:
        network.forward(1, **how)
    assert ways(network) == {"recorded": len(asked)}

    made = [network.forward(9, **how) for how in asked]
    assert ways(network) == {"replayed": len(asked)}
    assert all(network.equal(a, b) for a, b in zip(expected, made, strict=True))


def test_only_the_last_shapes_are_kept(network: Network) -> None:
    last = SHAPES + 2  # the first is of two frames, and one more than are kept
    for frames in range(2, last + 1):
        network.forward(frames=frames)
    ways(network)

    network.forward(frames=last)
    network.forward(frames=2)

    assert ways(network) == {"replayed": 1, "recorded": 1}


def test_after_a_new_patch_of_the_weights_the_bytes_are_those_of_the_new_weights(
    network: Network,
) -> None:
    network.forward(1)
    first = network.forward(2)
    patcher = patched(network, 3)
    patcher.patch_model(device_to=network.device)
    with eager(network):
        expected = network.forward(2)
    ways(network)

    made = [network.forward(2) for _ in range(2)]

    assert ways(network) == {"recorded": 1, "replayed": 1}
    assert all(network.equal(expected, found) for found in made)
    assert not network.equal(expected, first)

    patcher.unpatch_model(device_to=network.device)
    again = [network.forward(2) for _ in range(2)]

    assert ways(network)["recorded"] == 1, "thrown away once more"
    assert all(network.equal(first, found) for found in again)


def test_values_that_change_where_they_lie_are_read_anew(network: Network) -> None:
    network.forward(1)
    for weight in network.model.parameters():
        weight.data.mul_(0.5)
    with eager(network):
        expected = network.forward(2)
    ways(network)

    made = network.forward(2)

    assert ways(network) == {"replayed": 1}
    assert network.equal(expected, made)


def test_a_graph_goes_with_its_model(network: Network) -> None:
    if network.device.type == "cpu":
        pytest.skip("the work of a stand-in for a graph holds the model itself")
    network.forward(1)
    assert len(network.graphs._models) == 1  # pyright: ignore[reportPrivateUsage]  # memory has no other sign

    network.model = network.patcher = None
    importlib.import_module("gc").collect()

    assert not network.graphs._models  # pyright: ignore[reportPrivateUsage]  # as above


def test_scales_of_quantised_weights_count_as_places_too(lab: "Lab") -> None:
    torch = importlib.import_module("torch")
    assert lab.executor.engine is not None
    ops = importlib.import_module("comfy.ops").mixed_precision_ops({}, torch.float32)
    layer = ops.Linear(16, 16, dtype=torch.float32)
    note = torch.tensor(list(b'{"format": "float8_e4m3fn"}'), dtype=torch.uint8)
    layer.load_state_dict(
        {
            "weight": torch.ones(16, 16).to(torch.float8_e4m3fn),
            "bias": torch.zeros(16),
            "weight_scale": torch.tensor(0.5),
            "comfy_quant": note,
        },
        assign=True,
    )
    here = torch.device("cpu")
    before = addresses(layer, here)
    assert before is not None
    assert len(before) == 4, "values, scale, bias, and no function in place of its own"
    assert addresses(layer, here) == before

    settings = layer.weight.params
    object.__setattr__(settings, "scale", settings.scale.clone())

    after = addresses(layer, here)
    assert after is not None
    assert sum(a != b for a, b in zip(before, after, strict=True)) == 1
    assert addresses(layer, torch.device("meta")) is None


def _with_override(network: Network) -> dict[str, Any]:
    def attention(function: Callable[..., Any], *given: Any, **named: Any) -> Any:
        return function(*given, **named)

    return {"options": {"optimized_attention_override": attention}}


def _with_block(network: Network) -> dict[str, Any]:
    def block(given: dict[str, Any], extra: dict[str, Any]) -> Any:
        return extra["original_block"](given)

    return {"options": {"patches_replace": {"dit": {("double_block", 0): block}}}}


def _with_other_patch(network: Network) -> dict[str, Any]:
    return {"options": {"patches": {"attn1_patch": [lambda q, k, v, _: (q, k, v)]}}}


def _asking_for_more(network: Network) -> dict[str, Any]:
    return {"options": {"a_new_kind_of_guidance": (3,)}}


def _with_function(network: Network) -> dict[str, Any]:
    layer = network.model.transformer_blocks[1].attn2.to_v
    layer.weight_function = [lambda weight: weight]
    layer.comfy_cast_weights = True
    return {}


def _elsewhere(network: Network) -> dict[str, Any]:
    use_graphs(network, network.graphs_with("meta", room=0))
    return {}


def _several(network: Network) -> dict[str, Any]:
    return {"options": {"multigpu_thread_device": network.device}}


def _unknown(network: Network) -> dict[str, Any]:
    """Give the blocks a mask of a class that this version does not have."""
    network.model._build_guide_self_attention_mask = lambda *_: SimpleNamespace()  # ComfyUI's seam
    for block in network.model.transformer_blocks:
        forward = block.attn1.forward
        block.attn1.forward = lambda *given, mask, forward=forward, **named: forward(
            *given, **named
        )
    return {}


def _no_room(network: Network) -> dict[str, Any]:
    use_graphs(network, network.graphs_with(network.device.type, room=1e15))
    return {}


REASONS: dict[Forward, Callable[[Network], dict[str, Any]]] = {
    Forward.DEVICE: _elsewhere,
    Forward.SEVERAL_DEVICES: _several,
    Forward.PAGING: _with_function,
    Forward.INPUT: _unknown,
    Forward.OPTION: _asking_for_more,
    Forward.MEMORY: _no_room,
}
REPLACED = {"attention": _with_override, "block": _with_block, "other": _with_other_patch}


@pytest.mark.parametrize("reason", REASONS)
def test_what_cannot_be_a_graph_runs_as_comfyui_runs_it_and_says_why(
    network: Network, reason: Forward
) -> None:
    how = REASONS[reason](network)
    with eager(network):
        expected = network.forward(2, **how)
    ways(network)

    made = [network.forward(2, **how) for _ in range(2)]

    assert set(ways(network)) - {"device", "recorded", "replayed"} == {reason.value} - {"device"}
    assert all(network.equal(expected, found) for found in made)


@pytest.mark.parametrize("what", REPLACED)
def test_what_a_node_replaced_is_never_recorded(network: Network, what: str) -> None:
    how = REPLACED[what](network)

    for _ in range(2):
        network.forward(2, **how)

    assert ways(network) == {"patches": 2}


def test_where_the_device_is_slower_than_python_nothing_is_recorded(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network.recorder, "mark", lambda: lambda: False)

    for _ in range(2):
        network.forward(1)

    assert ways(network) == {"busy": 2}


@pytest.mark.parametrize("full", [True, False])
def test_a_recording_that_fails_costs_no_pass(lab: "Lab", full: bool, network: Network) -> None:
    torch = network.torch
    if network.device.type != "cpu":
        pytest.skip("a real recorder does not fail when told to")
    network.recorder.fails = torch.OutOfMemoryError("full") if full else RuntimeError("no")
    with eager(network):
        expected = network.forward(2)
    ways(network)

    made = [network.forward(2) for _ in range(3)]

    assert ways(network) == ({"memory": 3} if full else {"refused": 3})
    assert all(network.equal(expected, found) for found in made)


def test_a_cancel_ends_a_replayed_pass_before_its_end(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    network.forward(1)
    network.forward(1)
    stop = network.management.InterruptProcessingException
    asked: list[int] = []

    def interrupted() -> None:
        asked.append(1)
        if len(asked) > 1:
            raise stop

    monkeypatch.setattr(
        network.management, "throw_exception_if_processing_interrupted", interrupted
    )
    monkeypatch.setattr(network.graphs, "_before", lambda: False)  # the pass before never ends

    with pytest.raises(stop):
        network.forward(1)


def test_python_is_one_pass_ahead_of_the_device_at_most(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[str] = []
    marks = iter(range(100))

    def mark() -> Callable[[], bool]:
        number = next(marks)

        def done() -> bool:
            waited.append(f"waited for {number}")
            return True

        waited.append(f"launched {number}")
        return done

    monkeypatch.setattr(network.recorder, "mark", mark)

    for seed in range(4):
        network.forward(seed)

    eager = ["launched 0", "waited for 0"]  # whether the device is the slower one
    assert waited == [
        *eager,
        "launched 1",
        "launched 2",
        "waited for 1",
        "launched 3",
        "waited for 2",
    ]
