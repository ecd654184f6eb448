"""What tensors a stand-in file holds, and how their random values are spread."""

import math
from dataclasses import dataclass

LARGEST_F8 = 448.0
SPREAD_F8 = 112.0  # of random values in 8 bits: four times of it is the largest


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One tensor of a file to be."""

    name: str
    shape: tuple[int, ...]
    data: bytes | None = None  # instead of random values
    dtype: str | None = None  # of the values, where it is not the file's
    drawn_as: str = ""  # the name that random values follow, where it is not this one

    @property
    def count(self) -> int:
        """Return how many values it has."""
        return math.prod(self.shape)


def scale_of(entry: TensorSpec) -> tuple[float, float]:
    """Return middle and spread of the values of ``entry``, by what its name says it is."""
    name, shape = entry.name, entry.shape
    if name.endswith(("std-of-means", ".q_norm.weight", ".k_norm.weight")):
        return 1.0, 0.01
    if name.endswith(".filter"):  # low-pass filters keep the mean
        return 1.0 / shape[-1], 0.001
    if "norm" in name.rpartition(".")[0].rpartition(".")[2]:
        return (0.0, 0.05) if name.startswith("model.layers") else (1.0, 0.05)
    if len(shape) < 2 or "scale_shift_table" in name:
        return 0.0, 0.05
    fan_in = math.prod(shape[1:])
    return 0.0, 1.0 / math.sqrt(fan_in)
