"""Decoders of video and sound: faster, in another order, beside each other."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from core.comfy.acceleration.fast_decoder import FastDecoder
from core.comfy.acceleration.sound_beside import SoundBeside
from core.comfy.acceleration.split_matrices import SplitMatrices
from core.comfy.acceleration.switch import Acceleration
from core.comfy.device import DeviceKind
from core.comfy.testing.network_shapes import TINY
from core.domain.modes import Mode
from tests.comfy.acceleration.networks import (
    DEVICES,
    draw_weights,
    require_device,
)

if TYPE_CHECKING:
    from tests.comfy.conftest import Lab

pytestmark = [
    pytest.mark.comfy_real,
    pytest.mark.filterwarnings("ignore"),  # torch and ComfyUI warn of themselves
]


def decoder_of(**changes: Any) -> Any:
    """Return a tiny video decoder with random weights."""
    vae = importlib.import_module("comfy.ldm.lightricks.vae.causal_video_autoencoder").VideoVAE
    made = vae(config=TINY.config["vae"] | changes)
    draw_weights(made, 5)
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


def far(made: Any, exact: Any) -> float:
    """Return how far ``made`` is from ``exact``, relative to its size."""
    return float((made.double() - exact).norm() / exact.norm())


@pytest.mark.parametrize("device", DEVICES)
def test_matrices_of_sixteen_bits_multiply_values_of_thirty_two_exactly(
    lab: "Lab", device: str
) -> None:
    torch = importlib.import_module("torch")
    require_device(device)
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
