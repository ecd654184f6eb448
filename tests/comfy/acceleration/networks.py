"""A tiny transformer of ComfyUI's own class, and recordings on a device that has no graphs.

Without CUDA a recording is work that is done again at each replay: what is compared is which values
it reads, when it is used and when it is thrown away. On a CUDA device they are real graphs.
"""

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from core.comfy.acceleration.block_graphs import BlockGraphs
from core.comfy.acceleration.recording import Recording
from core.comfy.acceleration.switch import Acceleration
from core.comfy.device import DeviceKind, device_kind
from core.comfy.testing.network_shapes import TINY

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
        dtype = torch.float32 if device == "cpu" else torch.bfloat16
        self.model = model_class(
            # one that is neither first nor last
            **{**TINY.config["transformer"], "num_layers": 3, **sizes},
            dtype=dtype,
            device="cpu",
            operations=ops,
        )
        draw_weights(self.model, 7)
        self.model.requires_grad_(requires_grad=False)
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


def require_device(device: str) -> None:
    """Skip the test where ``device`` is none of this machine."""
    if device == "cuda" and device_kind() is not DeviceKind.CUDA:
        pytest.skip("no CUDA device: nvidia-smi shows whether the driver is there")


def draw_weights(network: Any, seed: int, spread: float = 0.2) -> None:
    """Draw the weights of ``network`` at random, the same ones for the same ``seed``."""
    torch = importlib.import_module("torch")
    generator = torch.Generator().manual_seed(seed)
    for weight in network.parameters():
        weight.data.copy_(torch.randn(weight.shape, generator=generator) * spread)


def use_graphs(network: Network, graphs: BlockGraphs) -> None:
    """Let the blocks of ``network`` run through ``graphs``."""
    network.model._process_transformer_blocks = lambda *given, **named: graphs.run(  # the seam
        network.plain, network.model, *given, **named
    )


def patched(network: Network, seed: int) -> Any:
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
