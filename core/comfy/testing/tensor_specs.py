"""What tensors a stand-in file holds, and how their random values are spread."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from core.comfy.output_node import TorchTensor

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


class _HasState(Protocol):
    """``torch.nn.Module``."""

    def state_dict(self) -> dict[str, TorchTensor]:
        """Return every tensor by name."""
        ...


def entries_of(model: _HasState, prefix: str) -> Iterator[TensorSpec]:
    """Yield the tensors of ``model``, with ``prefix`` before their names."""
    for name, value in model.state_dict().items():
        yield TensorSpec(prefix + name, tuple(value.shape))


def scale_of(entry: TensorSpec) -> tuple[float, float]:
    """Return middle and spread of the values of ``entry``, by what its name says it is."""
    name, shape = entry.name, entry.shape
    if name.endswith(("std-of-means", ".q_norm.weight", ".k_norm.weight")):
        return 1.0, 0.01
    if name.endswith(".filter"):  # low-pass filters keep the mean
        return 1.0 / shape[-1], 0.001
    if "norm" in name.rpartition(".")[0].rpartition(".")[2]:
        return (0.0, 0.05) if name.startswith("model.layers") else (1.0, 0.05)
    if name.endswith((".bn.weight", ".running_var")):
        return 1.0, 0.05
    if len(shape) < 2 or "scale_shift_table" in name:
        return 0.0, 0.05
    fan_in = math.prod(shape[1:])
    return 0.0, 1.0 / math.sqrt(fan_in)
