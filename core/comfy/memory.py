"""Correct how ComfyUI uses device memory: what a decode needs, and which models stay loaded."""

from collections.abc import Callable
from types import ModuleType
from typing import Any, Protocol, cast

_GIB = 1024**3
# The decoder walks through its blocks in pieces of at most 128 MiB; at each of its nine levels a
# few such pieces are alive (input, output, convolution workspace, what causal convolutions keep).
_PIECES = 2.5 * _GIB
# Before the first doubling the whole latent is in one piece, 1024 channels, about 16 copies deep.
_WHOLE = 16 * 1024
# ComfyUI assumes 1200 × 512 values for every latent voxel, as if nothing were in pieces.
_ASSUMED = 1200 * 8 * 8 * 8

Graph = dict[str, dict[str, Any]]


def decode_bytes(shape: tuple[int, ...], value_bytes: int) -> float:
    """Return the device memory that one decode of a latent needs.

    Args:
        shape: of the latent, ``[batch, channels, frames, height, width]``.
        value_bytes: of one value, 2 for bf16.

    Returns:
        Bytes; never more than ComfyUI's own estimate.
    """
    voxels = shape[2] * shape[3] * shape[4]
    return min(_ASSUMED * voxels * value_bytes, _PIECES + _WHOLE * voxels * value_bytes)


class _DType(Protocol):
    """``torch.dtype``."""

    @property
    def itemsize(self) -> int:
        """Return the bytes of one value."""
        ...


class _VramStates(Protocol):
    """``VRAMState`` of ``comfy.model_management``."""

    HIGH_VRAM: object
    NORMAL_VRAM: object


class _MemoryFlags(Protocol):
    """ComfyUI's flags."""

    gpu_only: bool


class _ModelManagement(Protocol):
    """``comfy.model_management``."""

    VRAMState: _VramStates
    vram_state: object
    args: _MemoryFlags


class _Vae(Protocol):
    """``comfy.sd.VAE``."""

    memory_used_decode: Callable[[tuple[int, ...], _DType], float]


def _needed(shape: tuple[int, ...], dtype: _DType) -> float:
    return decode_bytes(shape, dtype.itemsize)


def correct_decode_estimate(sd: ModuleType) -> None:
    """Make ComfyUI reserve what decoding the model's latents needs instead of up to 78 GB.

    Its estimate takes the decoder for one that holds the whole clip at once, so it would first move
    the transformer off the device, on every job.

    Args:
        sd: ComfyUI's module ``comfy.sd``.
    """
    original: Callable[..., None] = sd.VAE.__init__

    def init(self: _Vae, *arguments: object, **options: object) -> None:
        original(self, *arguments, **options)
        decoder = getattr(self, "first_stage_model", None)
        if type(decoder).__module__.endswith("lightricks.vae.causal_video_autoencoder"):
            self.memory_used_decode = _needed

    sd.VAE.__init__ = init


def keep_everything(module: ModuleType) -> None:
    """Keep every model on the device from now on, whatever was chosen when ComfyUI was imported.

    Args:
        module: ComfyUI's module ``comfy.model_management``.
    """
    management = cast("_ModelManagement", module)
    management.vram_state = management.VRAMState.HIGH_VRAM
    management.args.gpu_only = True


def allow_offloading(module: ModuleType) -> bool:
    """Undo that ComfyUI keeps everything on the device; return whether it did.

    It decides anew for every model that it loads, so models must be loaded anew after this. The
    latent upscaler, which it does not manage, leaves after its next use; see :func:`keep_upscaler`.

    Args:
        module: ComfyUI's module ``comfy.model_management``.
    """
    management = cast("_ModelManagement", module)
    states = management.VRAMState
    if management.vram_state is not states.HIGH_VRAM:
        return False
    management.vram_state = states.NORMAL_VRAM
    management.args.gpu_only = False
    return True


def keep_upscaler(upsampler: ModuleType, module: ModuleType) -> None:
    """Leave the latent upscaler on the device after its use, while every other model stays there.

    ComfyUI's node copies it there and back on every run, past its own memory management: 1 GB and
    0.8 s of an H200. It goes with the cached output of its loader, and again after each use once
    :func:`allow_offloading` has let models leave.

    Args:
        upsampler: ComfyUI's module ``comfy.ldm.lightricks.latent_upsampler``.
        module: ComfyUI's module ``comfy.model_management``.
    """
    management = cast("_ModelManagement", module)
    leave: Callable[[object], object] = upsampler.LatentUpsampler.cpu

    def cpu(self: object) -> object:
        kept = management.vram_state is management.VRAMState.HIGH_VRAM
        return self if kept else leave(self)

    upsampler.LatentUpsampler.cpu = cpu
