"""What colour each latent stands for, found by least squares from clips that were decoded.

One latent stands for a block of a picture. The mean colour of a block is nearly linear in it, and
the decoder that made it is the one that counts: no table of another version can be wrong about it.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_RIDGE = 1e-3  # of the mean square of a channel; clips of one scene do not show every direction
_LEAST = 4  # samples for each number that is looked for
_LEAST_FIT = 0.5  # share of the variance that has to be explained; else it would show nothing


@dataclass(frozen=True, slots=True)
class ColourMap:
    """Colours 0…1 as linear in ``channels`` numbers."""

    factors: "NDArray[np.float32]"  # [channels + 1, 3]; the last row is added

    @property
    def channels(self) -> int:
        """Return how many numbers a latent has."""
        return len(self.factors) - 1

    def pictures(self, latents: "NDArray[np.float32]") -> "NDArray[np.uint8]":
        """Return the colours of latents ``[..., channels]`` as bytes ``[..., 3]``."""
        colours = latents @ self.factors[:-1] + self.factors[-1]
        return (np.nan_to_num(colours).clip(0.0, 1.0) * 255 + 0.5).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class ColourSums:
    """Sums of products over all samples so far, in float64; clips are added, none is kept."""

    clips: int
    xx: "NDArray[np.float64]"  # [channels + 1, channels + 1]
    xy: "NDArray[np.float64]"  # [channels + 1, 3]
    yy: "NDArray[np.float64]"  # [3]

    @classmethod
    def none(cls, channels: int) -> Self:
        """Return the sums before the first clip."""
        size = channels + 1
        return cls(0, np.zeros((size, size)), np.zeros((size, 3)), np.zeros(3))

    def plus(self, latents: "NDArray[np.float32]", colours: "NDArray[np.float64]") -> "ColourSums":
        """Add one clip.

        Args:
            latents: ``[n, channels]``.
            colours: ``[n, 3]``, 0…1.

        Returns:
            The sums with it; the same where it holds what is no number.
        """
        x = np.concatenate([latents, np.ones((len(latents), 1))], axis=1, dtype=np.float64)
        if not (np.isfinite(x).all() and np.isfinite(colours).all()):
            return self
        xx, xy, yy = x.T @ x, x.T @ colours, (colours**2).sum(axis=0)
        return ColourSums(self.clips + 1, self.xx + xx, self.xy + xy, self.yy + yy)

    def tensors(self) -> "dict[str, NDArray[Any]]":
        """Return the sums by name, as a file keeps them."""
        return {"clips": np.array([self.clips]), "xx": self.xx, "xy": self.xy, "yy": self.yy}

    def solve(self) -> ColourMap | None:
        """Return the best map; None where the samples are too few, or it explains too little."""
        size, count = len(self.xx), float(self.xx[-1, -1])
        if count < _LEAST * size:
            return None
        ridge = np.diag([*np.full(size - 1, _RIDGE * np.trace(self.xx[:-1, :-1]) / (size - 1)), 0])
        try:
            factors = np.linalg.solve(self.xx + ridge, self.xy)
        except np.linalg.LinAlgError:
            return None
        missed = self.yy - 2 * (factors * self.xy).sum(axis=0)
        missed = missed + (factors * (self.xx @ factors)).sum(axis=0)
        spread = self.yy - self.xy[-1] ** 2 / count
        if missed.sum() > (1 - _LEAST_FIT) * spread.sum():
            return None
        return ColourMap(factors.astype(np.float32))


def block_colours(
    frames: "NDArray[np.uint8]", chosen: tuple[int, ...], strides: tuple[int, int]
) -> "NDArray[np.float64]":
    """Return the mean colours 0…1 of the blocks that latents stand for.

    Args:
        frames: ``[T, H, W, 3]``, decoded; ``H`` and ``W`` are whole blocks.
        chosen: the frames of latents; the first stands for one picture, each other for as many as
            the first stride says.
        strides: pictures, and px of a side, of one block.

    Returns:
        ``[len(chosen), H / side, W / side, 3]``.
    """
    in_time, side = strides
    _, height, width, _ = frames.shape
    made = np.empty((len(chosen), height // side, width // side, 3))
    for place, index in enumerate(chosen):
        first = 0 if index == 0 else (index - 1) * in_time + 1
        pictures = frames[first : first + (1 if index == 0 else in_time)]
        blocks = pictures.reshape(len(pictures), height // side, side, width // side, side, 3)
        made[place] = blocks.mean(axis=(0, 2, 4)) / 255
    return made
