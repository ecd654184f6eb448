"""Clapper's own output node: passes frames and sound on in memory, without encoding them.

The worker encodes them beside the next job's sampling, not before it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypedDict

import numpy as np

from core.comfy.latents import Latents
from core.comfy.own_nodes.prompt_encode import EnhancedPrompts
from core.domain.media import Sound
from core.media.output.frame_buffer import frame_buffer

if TYPE_CHECKING:
    from numpy.typing import NDArray

OUTPUT_CLASS = "ClapperOutput"
STAGE1_CLASS = "ClapperStage1"
_CHUNK = 8  # frames converted at a time; bounds the float copy beside the result


class TorchTensor(Protocol):
    """The little of ``torch.Tensor`` that is used here."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the size of every dimension."""
        ...

    def __getitem__(self, key: slice | int) -> "TorchTensor":
        """Return a view."""
        ...

    def mul(self, factor: float) -> "TorchTensor":
        """Return the product."""
        ...

    def round_(self) -> "TorchTensor":
        """Make the values whole, in place."""
        ...

    def clamp_(self, low: float, high: float) -> "TorchTensor":
        """Keep the values inside a range, in place."""
        ...

    def byte(self) -> "TorchTensor":
        """Return the values as unsigned bytes; fractions are cut off."""
        ...

    def narrow(self, dim: int, start: int, length: int) -> "TorchTensor":
        """Return a view of a part of one dimension."""
        ...

    def contiguous(self) -> "TorchTensor":
        """Return the values in the order of their dimensions, a copy where they are in another."""
        ...

    def copy_(self, source: "TorchTensor") -> "TorchTensor":
        """Take the values of ``source``, wherever it lies."""
        ...

    def float(self) -> "TorchTensor":
        """Return 32-bit values."""
        ...

    def cpu(self) -> "TorchTensor":
        """Return a copy in main memory."""
        ...

    def numpy(self) -> "NDArray[Any]":
        """Return the memory as an array."""
        ...


AsTensor = Callable[["NDArray[Any]"], TorchTensor]


class Latent(TypedDict):
    """The part of ComfyUI's LATENT that is used here."""

    samples: TorchTensor


class Audio(TypedDict):
    """ComfyUI's AUDIO: ``waveform [batch, channels, n]``."""

    waveform: TorchTensor
    sample_rate: int


@dataclass(frozen=True, slots=True)
class NodeOutput:
    """What one run of a graph made."""

    frames: "NDArray[np.uint8]"  # [T, H, W, 3]
    sound: Sound | None
    stage1: Latents | None = None  # of a draft


class NodeExchange:
    """What our nodes and the executor pass each other; both use it on the executor's thread."""

    def __init__(self, as_tensor: AsTensor) -> None:
        """Begin empty.

        Args:
            as_tensor: ``torch.from_numpy``.
        """
        self._as_tensor = as_tensor
        self._expected: dict[str, Path] = {}
        self._outputs: dict[str, NodeOutput] = {}
        self._offered: dict[str, Latents] = {}
        self.prompts = EnhancedPrompts()

    def offer(self, name: str, latents: Latents) -> None:
        """Let the graph of the next run read ``latents`` under ``name``, and no others."""
        self._offered = {name: latents}

    def offered(self, name: str) -> Latents:
        """Return what was offered.

        Raises:
            KeyError: nothing of that name; a graph that was not bound by us.
        """
        return self._offered[name]

    def expect(self, job: str, workspace: Path) -> None:
        """Accept frames for ``job``; large ones are kept in ``workspace``."""
        self._expected[job] = workspace

    def put(
        self, job: str, images: TorchTensor, audio: Audio | None, stage1: Latents | None = None
    ) -> None:
        """Keep what the node got, frames as bytes.

        Raises:
            KeyError: nobody expects this job; a graph that was not bound by us.
        """
        workspace = self._expected[job]
        self._outputs[job] = NodeOutput(
            as_frames(images, workspace, self._as_tensor), as_sound(audio), stage1
        )

    def take(self, job: str) -> NodeOutput | None:
        """Take the output of ``job`` out, and forget the job."""
        self._expected.pop(job, None)
        self._offered = {}
        return self._outputs.pop(job, None)


def as_frames(images: TorchTensor, workspace: Path, as_tensor: AsTensor) -> "NDArray[np.uint8]":
    """Return ``images`` ``[T, H, W, C]`` 0…1 as bytes; single pixels are rounded, not cut off.

    A decoder leaves its colours in planes. They are put together where the pictures lie, on the
    device if they are there, and the bytes go into their final place without a stop in between.
    """
    count, height, width = images.shape[:3]
    frames = frame_buffer((count, height, width, 3), workspace)
    frames.fill(0)  # the system gives its memory now, while the device is still decoding
    for start in range(0, count, _CHUNK):
        # torch computes on every core, numpy would cast on one; in place spares two copies
        part = images[start : start + _CHUNK].float().mul(255.0).round_().clamp_(0.0, 255.0)
        pixels = part.byte().narrow(3, 0, 3).contiguous()
        as_tensor(frames[start : start + _CHUNK]).copy_(pixels)
    return frames


def as_sound(audio: Audio | None) -> Sound | None:
    """Return the first sound of the batch, None where there is none."""
    if audio is None or 0 in audio["waveform"].shape:
        return None
    samples = np.ascontiguousarray(audio["waveform"][0].float().cpu().numpy(), np.float32)
    return Sound(np.nan_to_num(samples), int(audio["sample_rate"]))


def output_node(exchange: NodeExchange) -> type:
    """Make the node class that puts its inputs into ``exchange``."""

    class ClapperOutput:
        """Takes frames and sound out of the graph."""

        CATEGORY = "clapper"
        OUTPUT_NODE = True
        RETURN_TYPES: ClassVar[tuple[str, ...]] = ()
        FUNCTION = "deliver"

        @classmethod
        def INPUT_TYPES(cls) -> dict[str, dict[str, Any]]:  # noqa: N802  # ComfyUI asks for this name
            return {
                "required": {"images": ("IMAGE",), "job": ("STRING", {"default": ""})},
                "optional": {
                    "audio": ("AUDIO",),
                    "stage1_video": ("LATENT",),
                    "stage1_audio": ("LATENT",),
                },
            }

        @classmethod
        def IS_CHANGED(cls, **_: object) -> float:  # noqa: N802  # ComfyUI asks for this name
            return float("nan")  # equal to nothing: a repeated job must hand over again

        def deliver(
            self, images: TorchTensor, job: str, audio: Audio | None = None, **kept: Latent
        ) -> tuple[()]:
            """Put the inputs into the exchange; ``kept`` are the optional latents of stage 1."""
            video, sound = kept.get("stage1_video"), kept.get("stage1_audio")
            stage1 = Latents(_values(video), _values(sound)) if video and sound else None
            exchange.put(job, images, audio, stage1)
            return ()

    return ClapperOutput


def stage1_node(exchange: NodeExchange, as_tensor: AsTensor) -> type:
    """Make the node class that gives what was offered in ``exchange``.

    Args:
        exchange: where the latents are.
        as_tensor: ``torch.from_numpy``.
    """

    class ClapperStage1:
        """Stands for a stage 1 that ran before."""

        CATEGORY = "clapper"
        RETURN_TYPES: ClassVar[tuple[str, ...]] = ("LATENT", "LATENT")
        RETURN_NAMES: ClassVar[tuple[str, ...]] = ("video", "audio")
        FUNCTION = "give"

        @classmethod
        def INPUT_TYPES(cls) -> dict[str, dict[str, Any]]:  # noqa: N802  # ComfyUI asks for this name
            return {"required": {"stage1": ("STRING", {"default": ""})}}

        def give(self, stage1: str) -> tuple[Latent, Latent]:
            """Return picture and sound; ComfyUI may change its tensors, so they are copies."""
            kept = exchange.offered(stage1)
            video, audio = as_tensor(kept.video.copy()), as_tensor(kept.audio.copy())
            return {"samples": video}, {"samples": audio}

    return ClapperStage1


def _values(latent: Latent) -> "NDArray[np.float32]":
    return np.ascontiguousarray(latent["samples"].float().cpu().numpy(), np.float32)
