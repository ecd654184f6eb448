"""Calls of other networks as graphs: the layers for a text, and what a text is made into."""

import importlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from core.comfy.acceleration.kept_conditioning import KeptConditioning
from core.comfy.acceleration.recorded_calls import RecordedCalls
from core.comfy.acceleration.recording import CudaRecorder
from core.comfy.acceleration.switch import Acceleration
from core.comfy.acceleration.text_layers import record_text_layers
from core.comfy.acceleration.text_tokens import spare_tokens
from tests.comfy.acceleration.networks import (
    DEVICES,
    RedoingRecorder,
    draw_weights,
    require_device,
)

if TYPE_CHECKING:
    from tests.comfy.conftest import Lab

pytestmark = [
    pytest.mark.comfy_real,
    pytest.mark.filterwarnings("ignore"),  # torch and ComfyUI warn of themselves
]


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
    require_device(request.param)
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
    draw_weights(network, 3)
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
