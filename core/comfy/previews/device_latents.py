"""The latents of a picture as a sampler holds them, and copies of some on their way to memory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class LatentCopy:
    """Latents in main memory, once the device has come so far."""

    frames: tuple[int, ...]  # which ones
    strides: tuple[int, int]  # frames, and px of a side, that one latent stands for
    ready: Callable[[], bool]
    _tensor: Any

    def values(self) -> "NDArray[np.float32]":
        """Return ``[frames, height, width, channels]``; only after :attr:`ready`."""
        found: NDArray[np.float32] = self._tensor.float().numpy()
        return found[0].transpose(1, 2, 3, 0)


@dataclass(frozen=True, slots=True)
class DeviceLatents:
    """The picture's part of a sampler's tensor. Only on the executor's thread.

    What samples picture and sound together holds one behind the other, as ComfyUI packs them.
    """

    torch: ModuleType
    tensor: Any
    shape: tuple[int, ...]  # of the picture: batch, channels, frames, height, width
    strides: tuple[int, int]
    to_decoder: Callable[[Any], Any]  # from the sampler's scale to that which a decoder takes

    @property
    def count(self) -> int:
        """Return how many frames of latents there are; those of guides are the last."""
        return self.shape[2]

    def copy(self, frames: Sequence[int]) -> LatentCopy:
        """Begin to copy ``frames``; returns before the device has them, and never waits for it.

        The copy is one more piece of work behind what was launched before: a few megabytes.
        """
        size = prod(self.shape[1:])
        flat = self.tensor.detach().reshape(self.tensor.shape[0], -1)[:1, :size]
        video = flat.reshape(1, *self.shape[1:])
        # no list of indices: it would have to be brought to the device, which waits
        chosen = self.to_decoder(self.torch.stack([video[:, :, index] for index in frames], 2))
        if chosen.device.type != "cuda":
            return LatentCopy(tuple(frames), self.strides, lambda: True, chosen.cpu())
        held = self.torch.empty(chosen.shape, dtype=chosen.dtype, pin_memory=True)
        held.copy_(chosen, non_blocking=True)
        event = self.torch.cuda.Event()
        event.record()
        return LatentCopy(tuple(frames), self.strides, event.query, held)
