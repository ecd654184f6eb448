"""The transformer's blocks as one graph, against ComfyUI's own model, tiny and random.

Without CUDA a recording is work that is done again at each replay: what is compared is which values
it reads, when it is used and when it is thrown away. On a CUDA device they are real graphs.
"""

import importlib
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from core.comfy.acceleration.block_graphs import SHAPES, BlockGraphs
from core.comfy.acceleration.constant_tables import look_at_masks_in_memory
from core.comfy.acceleration.fast_blocks import FastBlocks, eight_bit_linear
from core.comfy.acceleration.fast_decoder import FastDecoder
from core.comfy.acceleration.fused_pointwise import FusedPointwise, asked_first
from core.comfy.acceleration.install import forget_with_weights
from core.comfy.acceleration.kept_conditioning import KeptConditioning
from core.comfy.acceleration.recorded_calls import RecordedCalls
from core.comfy.acceleration.recording import CudaRecorder, Recording
from core.comfy.acceleration.sound_beside import SoundBeside
from core.comfy.acceleration.split_matrices import SplitMatrices
from core.comfy.acceleration.switch import Acceleration, Forward
from core.comfy.acceleration.text_layers import record_text_layers
from core.comfy.acceleration.text_tokens import spare_tokens
from core.comfy.acceleration.weights import addresses
from core.comfy.device import DeviceKind, device_kind
from core.comfy.own_nodes.guidance import STG_OPTION
from core.comfy.testing.network_shapes import TINY
from core.domain.modes import Mode

if TYPE_CHECKING:
    from tests.comfy.conftest import Lab

pytestmark = [
    pytest.mark.comfy_real,
    pytest.mark.filterwarnings("ignore"),  # torch and ComfyUI warn of themselves
]
DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.gpu),
]


@dataclass
class Redone:
    """Work that is done again at every replay."""

    work: Callable[[], object]

    def replay(self) -> None:
        self.work()


@dataclass
class RedoingRecorder:
    """Records on a device that has no graphs; the work is not done when it is recorded."""

    records: list[Redone] = field(default_factory=list[Redone])
    fails: Exception | None = None

    def record(self, work: Callable[[], object]) -> Recording:
        if self.fails is not None:
            raise self.fails
        self.records.append(Redone(work))
        return self.records[-1]

    def mark(self) -> Callable[[], bool]:
        return lambda: True

    def forget_memory(self) -> None:
        pass


class Network:
    """A tiny transformer with a patcher, and inputs for it."""

    plain: Callable[..., Any]  # ComfyUI's own loop over the blocks

    def __init__(self, device: str, recorder: Any, **sizes: int) -> None:
        torch = importlib.import_module("torch")
        model_class = importlib.import_module("comfy.ldm.lightricks.av_model").LTXAVModel
        ops = importlib.import_module("comfy.ops").disable_weight_init
        management = importlib.import_module("comfy.model_management")
        self.torch, self.device, self.management = torch, torch.device(device), management
        if device == "cuda":
            self.device = torch.device("cuda", torch.cuda.current_device())
        generator = torch.Generator().manual_seed(7)
        dtype = torch.float32 if device == "cpu" else torch.bfloat16
        self.model = model_class(
            # one that is neither first nor last
            **{**TINY.config["transformer"], "num_layers": 3, **sizes},
            dtype=dtype,
            device="cpu",
            operations=ops,
        )
        for weight in self.model.parameters():
            weight.data.copy_(torch.randn(weight.shape, generator=generator) * 0.2)
            weight.requires_grad_(requires_grad=False)
        self.dtype = dtype
        self.model.to(self.device)
        self.switch = Acceleration()
        self.recorder = recorder
        self.graphs = self.graphs_with(self.device.type, room=0)
        holder = torch.nn.Module()
        holder.diffusion_model = self.model
        patchers = importlib.import_module("comfy.model_patcher")
        self.patcher = patchers.ModelPatcher(holder, self.device, self.device)

    def graphs_with(self, device: str, room: float) -> BlockGraphs:
        return BlockGraphs(
            self.switch, self.torch, self.management, self.recorder, device, room=room
        )

    def forward(
        self,
        seed: int = 1,
        frames: int = 2,
        *,
        options: dict[str, Any] | None = None,
        guided: bool = False,
        masked: bool = False,
    ) -> list[Any]:
        """Return video and sound of one pass; the same seed gives the same inputs."""
        torch = self.torch
        generator = torch.Generator().manual_seed(seed)

        def draw(*shape: int) -> Any:
            return torch.randn(shape, generator=generator).to(self.device, self.dtype)

        video, sound = draw(1, 128, frames, 4, 4), draw(1, 8, 5, 16)
        width = self.model.cross_attention_dim + self.model.audio_cross_attention_dim
        text = draw(1, 32, width)
        step = torch.full((1,), 0.5 + seed / 100, device=self.device, dtype=self.dtype)
        times: Any = (step, step)
        named: dict[str, Any] = {}
        if masked or guided:
            mask = torch.ones(1, 1, frames, 4, 4, device=self.device)
            mask[:, :, 0] = 0
            named["denoise_mask"] = mask
            patches = mask.flatten(2).transpose(1, 2).to(self.dtype) * step
            times = (patches, step)
        if guided:
            named.update(self._guide())
        with torch.inference_mode():
            return self.model(
                [video, sound], times, text, frame_rate=24,
                transformer_options=dict(options or {}), **named,
            )  # fmt: skip

    def _guide(self) -> dict[str, Any]:
        """Return what a node for a guide of one frame adds to the conditions."""
        torch = self.torch
        places = torch.zeros(1, 3, 16, 2, device=self.device)
        entry = {"pre_filter_count": 16, "strength": 0.5, "pixel_mask": None, "latent_shape": None}
        return {"keyframe_idxs": places, "guide_attention_entries": [entry]}

    def equal(self, one: list[Any], other: list[Any]) -> bool:
        return all(self.torch.equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.fixture
def unaccelerated(lab: "Lab") -> Iterator[None]:
    """The service's own graphs stay away: on a CUDA device they would be recorded inside ours."""
    engine = lab.executor.engine
    assert engine is not None
    engine.accelerate(enabled=False)
    yield
    engine.accelerate(enabled=True)


@pytest.fixture(params=DEVICES)
def network(
    unaccelerated: None, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Network:
    torch = importlib.import_module("torch")
    if request.param == "cuda" and device_kind() is not DeviceKind.CUDA:
        pytest.skip("no CUDA device: nvidia-smi shows whether the driver is there")
    recorder = CudaRecorder(torch) if request.param == "cuda" else RedoingRecorder()
    made = Network(request.param, recorder)
    owner = type(made.model)
    monkeypatch.setattr(
        owner, "_process_transformer_blocks", owner.__dict__["_process_transformer_blocks"]
    )
    made.plain = owner._process_transformer_blocks  # the seam
    made.graphs.install(owner)
    return made


@contextmanager
def eager(network: Network) -> Iterator[None]:
    network.switch.enabled = False
    yield
    network.switch.enabled = True


def ways(network: Network) -> dict[str, int]:
    return network.switch.take_forwards()


KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "picture": {"masked": True},
    "guide": {"guided": True},
}


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


def patch(network: Network, seed: int) -> Any:
    """Return another patcher of the network with a changed weight in every block."""
    torch = network.torch
    generator = torch.Generator().manual_seed(seed)
    changes: dict[str, Any] = {}
    for name, weight in network.model.named_parameters():
        if name.endswith("attn1.to_q.weight"):
            change = torch.randn(weight.shape, generator=generator).to(network.device)
            changes[f"diffusion_model.{name}"] = ("diff", (change,))
    patcher = network.patcher.clone()
    assert patcher.add_patches(changes)
    return patcher


def test_after_a_new_patch_of_the_weights_the_bytes_are_those_of_the_new_weights(
    network: Network,
) -> None:
    network.forward(1)
    first = network.forward(2)
    patcher = patch(network, 3)
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


def _instead(network: Network, graphs: BlockGraphs) -> dict[str, Any]:
    network.model._process_transformer_blocks = lambda *given, **named: graphs.run(  # the seam
        network.plain, network.model, *given, **named
    )
    return {}


def _elsewhere(network: Network) -> dict[str, Any]:
    return _instead(network, network.graphs_with("meta", room=0))


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
    return _instead(network, network.graphs_with(network.device.type, room=1e15))


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
    _instead(wide, wide.graphs)
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
    _instead(network, network.graphs)
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
    patcher = patch(network, 3)
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
    if device_kind() is not DeviceKind.CUDA:
        pytest.skip("no CUDA device: nvidia-smi shows whether the driver is there")
    layer = torch.nn.Linear(2048, 1024, device="cuda", dtype=torch.bfloat16)
    rows = torch.randn(3, 100, 2048, device="cuda", dtype=torch.bfloat16)
    with torch.inference_mode():
        exact, near = layer(rows), eight_bit_linear(torch)(layer)(rows)

    assert near.shape == exact.shape
    assert (near - exact).norm() / exact.norm() < 0.06


def test_sound_is_decoded_with_algorithms_that_add_up_in_one_order(lab: "Lab") -> None:
    torch = importlib.import_module("torch")
    decoder = importlib.import_module("comfy.ldm.lightricks.vae.audio_vae").AudioVAE
    seen: list[bool] = []

    class Asked:
        normalizer = SimpleNamespace(
            denormalize=lambda _: seen.append(torch.backends.cudnn.deterministic) or 1 / 0
        )

    with pytest.raises(ZeroDivisionError):
        decoder.decode(Asked(), torch.zeros(1, 8, 1, 16))

    assert seen == [True]
    assert not torch.backends.cudnn.deterministic, "back, also after an error"


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


def test_padding_is_counted_down_to_a_multiple_of_sixteen() -> None:
    assert spare_tokens([[0] * 1000 + [5] * 24], 0) == 992
    assert spare_tokens([[0] * 950 + [5] * 74], 0) == 944
    assert spare_tokens([[0] * 1024], 0) == 1008
    assert spare_tokens([[5] * 40], 0) == 0
    assert spare_tokens([[0] * 4 + [5, 0, 0]], 0) == 0, "shorter than the least that is encoded"
    assert spare_tokens([[0] * 64 + [5], [0] * 64 + [5]], 0) == 0, "several prompts"
    assert spare_tokens([[0] * 64 + [{"type": "image"}, 0, 5]], 0) == 51


async def test_a_prompt_without_its_padding_means_nearly_the_same(
    lab: "Lab",
) -> None:
    torch = importlib.import_module("torch")
    engine = lab.executor.engine
    assert engine is not None
    loader = engine.node_classes()["LTXAVTextEncoderLoader"]
    names = lab.family.names(lab.executor.plan.profile)
    loaded = loader.execute(names.text_encoder, names.checkpoint, "default")
    clip = loaded.result[0] if hasattr(loaded, "result") else loaded[0]
    for words in ("a boat", "a boat leaves the harbour, " * 30):
        tokens = clip.tokenize(words)
        with torch.inference_mode():
            trimmed = clip.encode_from_tokens(tokens)
            engine.accelerate(enabled=False)
            whole = clip.encode_from_tokens(tokens)
            engine.accelerate(enabled=True)
        assert trimmed.shape == whole.shape
        off = (trimmed - whole).norm() / whole.norm()
        assert off < 2e-3, "0.0010 on a CPU and on CUDA; matrices of other heights add up otherwise"


@dataclass
class Called:
    """Something that records calls, and what is told to it."""

    torch: Any
    device: str
    switch: Acceleration
    recorder: Any
    calls: RecordedCalls
    worked: list[int] = field(default_factory=list[int])

    def draw(self, *shape: int, seed: int = 1) -> Any:
        generator = self.torch.Generator().manual_seed(seed)
        return self.torch.randn(shape, generator=generator).to(self.device)

    def through(self, network: Any, x: Any) -> Any:
        """Call ``network`` with ``x`` and a plain value; counted whenever Python does it."""

        def work(given: Any) -> Any:
            self.worked.append(1)
            return network(given[0]), (given[0] * given[1],)

        with self.torch.inference_mode():
            return self.calls.run(network, (x, 3), work)


@pytest.fixture(params=DEVICES)
def called(lab: "Lab", request: pytest.FixtureRequest) -> Called:
    torch = importlib.import_module("torch")
    management = importlib.import_module("comfy.model_management")
    if request.param == "cuda" and device_kind() is not DeviceKind.CUDA:
        pytest.skip("no CUDA device: nvidia-smi shows whether the driver is there")
    recorder = CudaRecorder(torch) if request.param == "cuda" else RedoingRecorder()
    switch = Acceleration()
    calls = RecordedCalls(switch, torch, management, recorder, request.param, room=0)
    return Called(torch, request.param, switch, recorder, calls)


def test_a_recorded_call_gives_each_caller_its_own_bytes(called: Called) -> None:
    network = called.torch.nn.Linear(24, 16, device=called.device)
    texts = [called.draw(5, 24, seed=seed) for seed in (1, 2, 3)]
    with called.torch.inference_mode():
        expected = [network(text) for text in texts]

    made = [called.through(network, text) for text in texts]

    for (found, (tripled,)), wanted, text in zip(made, expected, texts, strict=True):
        assert called.torch.equal(found, wanted)
        assert called.torch.equal(tripled, text * 3)
    if called.device == "cuda":
        assert len(called.worked) == 2, "once to compute, once to record"
    called.through(network, called.draw(6, 24))
    held = called.calls._networks[network]  # pyright: ignore[reportPrivateUsage]  # memory has no other sign
    assert len(held.calls) == 2, "another length"


def test_a_call_is_recorded_anew_for_other_weights_and_goes_with_its_model(called: Called) -> None:
    torch = called.torch
    network = torch.nn.Linear(24, 16, device=called.device)
    model, text = torch.nn.Sequential(torch.nn.ReLU(), network), called.draw(5, 24)
    before = called.through(network, text)[0]
    network.weight = torch.nn.Parameter(network.weight.detach() * 2)

    after = [called.through(network, text)[0] for _ in range(2)]

    with torch.inference_mode():
        assert all(torch.equal(found, network(text)) for found in after)
    assert not torch.equal(before, after[0])
    called.calls.forget(torch.nn.ReLU())
    assert len(called.calls._networks) == 1  # pyright: ignore[reportPrivateUsage]  # as above
    called.calls.forget(model)
    assert not called.calls._networks  # pyright: ignore[reportPrivateUsage]  # as above
    called.switch.enabled = False
    called.through(network, text)
    assert not called.calls._networks  # pyright: ignore[reportPrivateUsage]  # as above


@pytest.mark.parametrize("full", [True, False])
def test_a_call_that_cannot_be_recorded_is_made_as_ever(called: Called, full: bool) -> None:
    if called.device != "cpu":
        pytest.skip("a real recorder does not fail when told to")
    torch = called.torch
    network, text = torch.nn.Linear(24, 16), called.draw(5, 24)
    called.recorder.fails = torch.OutOfMemoryError("full") if full else RuntimeError("no")
    first = called.through(network, text)[0]
    called.recorder.fails = None

    again = called.through(network, text)[0]

    assert torch.equal(first, again)
    assert bool(called.recorder.records) is full, "memory may be there the next time"


def test_layers_for_a_text_give_the_bytes_of_comfyui(
    called: Called, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = called.torch
    owner = importlib.import_module(
        "comfy.ldm.lightricks.embeddings_connector"
    ).Embeddings1DConnector
    ops = importlib.import_module("comfy.ops").disable_weight_init
    monkeypatch.setattr(owner, "forward", owner.__dict__["forward"].__wrapped__)  # ComfyUI's own
    network = owner(
        num_attention_heads=2, attention_head_dim=8, num_layers=2, split_rope=True,
        double_precision_rope=True, dtype=torch.float32, device="cpu", operations=ops,
    )  # fmt: skip
    generator = torch.Generator().manual_seed(3)
    for weight in network.parameters():
        weight.data.copy_(torch.randn(weight.shape, generator=generator) * 0.2)
    network.to(called.device)
    texts = [called.draw(1, length, 16, seed=length) for length in (20, 40, 60)]
    with torch.inference_mode():
        expected = [network(text)[0] for text in texts]
        record_text_layers(owner, called.calls)
        made = [network(text)[0] for text in texts]

    assert all(torch.equal(a, b) for a, b in zip(made, expected, strict=True))
    held = called.calls._networks[network]  # pyright: ignore[reportPrivateUsage]  # as above
    assert len(held.calls) == 1, "every text is filled up to one length"
    assert type(network.transformer_1d_blocks) is torch.nn.ModuleList


async def test_the_video_is_decoded_before_the_sound(
    lab: "Lab", monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, vae = lab.executor.engine, importlib.import_module("comfy.sd").VAE
    assert engine is not None
    decode, order = vae.decode, list[str]()

    def noted(self: Any, *given: Any, **named: Any) -> Any:
        order.append(type(self.first_stage_model).__name__)
        return decode(self, *given, **named)

    monkeypatch.setattr(vae, "decode", noted)
    await lab.run(lab.request(Mode.T2V, seed=81))
    engine.accelerate(enabled=False)
    await lab.run(lab.request(Mode.T2V, seed=82))
    engine.accelerate(enabled=True)

    assert order == ["VideoVAE", "AudioVAE", "AudioVAE", "VideoVAE"], (
        "the last two as ComfyUI has it"
    )


def far(made: Any, exact: Any) -> float:
    """Return how far ``made`` is from ``exact``, relative to its size."""
    return float((made.double() - exact).norm() / exact.norm())


@pytest.mark.parametrize("device", DEVICES)
def test_matrices_of_sixteen_bits_multiply_values_of_thirty_two_exactly(
    lab: "Lab", device: str
) -> None:
    torch = importlib.import_module("torch")
    if device == "cuda" and device_kind() is not DeviceKind.CUDA:
        pytest.skip("no CUDA device: nvidia-smi shows whether the driver is there")
    ops = importlib.import_module("comfy.ops").manual_cast
    network = torch.nn.Sequential(
        *(ops.Linear(96, 64, bias=bias, dtype=dtype, device=device) for bias, dtype in [
            (False, torch.bfloat16), (False, torch.bfloat16), (True, torch.bfloat16),
            (False, torch.float32),
        ])
    )  # fmt: skip
    generator = torch.Generator().manual_seed(3)
    for weight in network.parameters():
        weight.data.copy_(torch.randn(weight.shape, generator=generator))
    x = (torch.randn(2, 24, 96, generator=generator) * 100).to(device)
    used: list[int] = []

    def multiply(rows: Any, matrix: Any) -> Any:
        used.append(rows.shape[0])
        return rows.float() @ matrix.float()

    split = SplitMatrices(torch, multiply if device == "cpu" else None, device)
    with torch.inference_mode(), split.used_in(network):
        made = [layer(x) for layer in network]
        other = network[0](x * 2)
        short = network[0](x.bfloat16())
    layers = [layer.weight.double() for layer in network]
    for layer, weight, found in zip(network, layers, made, strict=True):
        exact = x.double() @ weight.t()
        exact = exact if layer.bias is None else exact + layer.bias.double()
        assert far(found, exact) < 1e-6, "16 bits alone: 2e-3"
    assert far(other, 2 * x.double() @ layers[0].t()) < 1e-6, "another input is split anew"
    assert short.dtype == torch.bfloat16
    assert used == ([144] * 3 if device == "cpu" else []), "two layers of four, and one again"
    assert not any("forward" in layer.__dict__ for layer in network), "back at the end"


def decoder_of(**changes: Any) -> Any:
    """Return a tiny video decoder with random weights."""
    torch = importlib.import_module("torch")
    vae = importlib.import_module("comfy.ldm.lightricks.vae.causal_video_autoencoder").VideoVAE
    made = vae(config=TINY.config["vae"] | changes)
    generator = torch.Generator().manual_seed(5)
    for weight in made.parameters():
        weight.data.copy_(torch.randn(weight.shape, generator=generator) * 0.2)
    return made.decoder.eval()


@pytest.fixture
def video_decoder(lab: "Lab", monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The decoder of video in both ways, on a CUDA device compiled."""
    assert lab.executor.engine is not None
    torch = importlib.import_module("torch")
    owner = importlib.import_module("comfy.ldm.lightricks.vae.causal_video_autoencoder").Decoder
    monkeypatch.setattr(owner, "forward", owner.__dict__["forward"])
    cuda = lab.executor.options.device is DeviceKind.CUDA
    device = "cuda" if cuda else "cpu"
    made = SimpleNamespace(torch=torch, switch=Acceleration(fast=True), free=1e15, device=device)
    made.compiled, made.step = 0, None

    def compiler(work: Any, **options: Any) -> Any:
        def counted(*given: Any) -> Any:
            made.compiled += 1
            return compiled(*given)

        compiled = torch.compile(work, **options) if cuda else work
        return counted

    made.fast = FastDecoder(made.switch, torch, lambda _: made.free, compiler, device)
    made.fast.install(owner)

    def decode(model: Any, frames: int = 3, *, fast: bool = True) -> Any:
        made.switch.fast = fast
        generator = torch.Generator().manual_seed(frames)
        sample = torch.randn((1, 128, frames, 4, 5), generator=generator).to(device)
        target = torch.empty(model.decode_output_shape(sample.shape), device=device)
        with torch.inference_mode():
            step = made.step if made.step is None else made.step.to(device)
            return model.to(device)(sample, timestep=step, output_buffer=target)

    made.decode = decode
    return made


def near(made: Any, exact: Any) -> bool:
    """Tell whether both are the same but for rounding; CUDA convolves with short mantissas."""
    most = 1e-4 if made.device.type == "cpu" else 2e-2
    return bool((made - exact).abs().max() < most * exact.std())


@pytest.mark.parametrize("frames", [1, 2, 5])
def test_the_fast_decoder_computes_the_network_of_comfyui(
    video_decoder: SimpleNamespace, frames: int
) -> None:
    model = decoder_of()
    exact = video_decoder.decode(model, frames, fast=False)
    assert not video_decoder.compiled, "not asked for"

    made = video_decoder.decode(model, frames)

    assert video_decoder.compiled
    assert near(made, exact)


def test_the_fast_decoder_reads_weights_that_were_replaced_anew(
    video_decoder: SimpleNamespace,
) -> None:
    model = decoder_of()
    video_decoder.decode(model)
    held = model.conv_in.conv.weight
    model.conv_in.conv.weight = type(held)(held.detach() * 2)

    made, exact = video_decoder.decode(model), video_decoder.decode(model, fast=False)

    assert near(made, exact)


@pytest.mark.parametrize(
    "other",
    [
        {"causal_decoder": True},
        {"timestep_conditioning": True},
        {"norm_layer": "layer_norm"},
        {"spatial_padding_mode": "reflect"},
        {"decoder_blocks": [["res_x", 1], ["compress_all", {"residual": True, "multiplier": 2}]]},
    ],
)
def test_a_decoder_of_another_kind_is_left_to_comfyui(
    video_decoder: SimpleNamespace, other: dict[str, Any]
) -> None:
    video_decoder.step = video_decoder.torch.tensor(0.05)
    model = decoder_of(**other)
    made, exact = video_decoder.decode(model), video_decoder.decode(model, fast=False)

    assert not video_decoder.compiled
    assert video_decoder.torch.equal(made, exact)


def test_without_room_comfyui_decodes(video_decoder: SimpleNamespace) -> None:
    video_decoder.free = 0

    video_decoder.decode(decoder_of())

    assert not video_decoder.compiled


def test_sound_beside_waits_for_its_latent_and_nothing_that_came_later() -> None:
    done: list[object] = []

    class Stream:
        def __init__(self, priority: int = 0) -> None:
            self.priority = priority

        def wait_stream(self, other: object) -> None:
            done.append(("main waits", other))

    class Event:
        def record(self) -> None:
            done.append("there")

        def wait(self, stream: object) -> None:
            done.append(("sound waits", stream))

    main = Stream()

    @contextmanager
    def used(stream: object) -> Iterator[None]:
        done.append(("begin", stream))
        yield
        done.append(("end", stream))

    class Parts:
        @classmethod
        def execute(cls, av_latent: Any) -> Any:
            return SimpleNamespace(args=({"samples": "video"}, {"samples": av_latent}))

    class Vae:
        def decode(self, samples_in: Any) -> str:
            done.append("decoded")
            return "sound"

    class Latent:
        device = SimpleNamespace(type="cuda")

    cuda = SimpleNamespace(
        Stream=Stream, Event=Event, stream=used, current_stream=lambda: main
    )  # a device's, written down
    stays = [True]
    SoundBeside(Acceleration(), cuda, lambda: stays[0]).install(Parts, Vae)
    latent = Latent()

    Parts.execute(latent)
    assert Vae().decode(latent) == "sound"

    (_, beside), *_ = [one for one in done if isinstance(one, tuple)]
    order = [one if isinstance(one, str) else one[0] for one in done]
    assert order == ["there", "begin", "sound waits", "decoded", "end", "main waits"]
    assert isinstance(beside, Stream)
    assert beside.priority < 0, "small kernels come between large ones"
    done.clear()
    Vae().decode(Latent())  # of which nobody knows since when it is there
    stays[0] = False  # weights that come and go are brought on one stream
    Vae().decode(latent)
    assert done == ["decoded", "decoded"]


async def test_what_is_made_of_a_text_is_kept_until_the_weights_change(lab: "Lab") -> None:
    torch = importlib.import_module("torch")

    class Base:
        current_weight_patches_uuid = 1

        def __init__(self, network: Any) -> None:
            self.network = network

        def extra_conds(self, **given: Any) -> Any:
            return self.network.preprocess_text_embeds(given["cross_attn"] * 1)

    class Network:
        def preprocess_text_embeds(self, context: Any) -> Any:
            return context + 1

    kept = KeptConditioning(switch := Acceleration())
    kept.install(Base, Network)
    base, text = Base(network := Network()), torch.zeros(2)

    first, again = (base.extra_conds(cross_attn=text) for _ in range(2))
    assert again is first
    assert base.extra_conds(cross_attn=torch.zeros(2)) is not first, "another text"
    base.current_weight_patches_uuid = 2
    patched = base.extra_conds(cross_attn=text)
    assert patched is not first
    kept.forget(network)
    assert base.extra_conds(cross_attn=text) is not patched
    switch.enabled = False
    assert base.extra_conds(cross_attn=text) is not base.extra_conds(cross_attn=text)
