"""What tensors a stand-in file holds, and how their random values are spread."""

import json
import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

LARGEST_F8 = 448.0
SPREAD_F8 = 112.0  # of random values in 8 bits: four times of it is the largest
_LEAST_QUANTISED = 1024  # rows and columns of a matrix that published fp8 files hold in 8 bits


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One tensor of a file to be."""

    name: str
    shape: tuple[int, ...]
    data: bytes | None = None  # instead of random values
    dtype: str | None = None  # of the values, where it is not the file's

    @property
    def count(self) -> int:
        """Return how many values it has."""
        return math.prod(self.shape)


def in_eight_bits(entries: Iterator[TensorSpec]) -> Iterator[TensorSpec]:
    """Store large matrices of blocks as ComfyUI's fp8 files do: values, their scale, a note."""
    note = json.dumps({"format": "float8_e4m3fn"}).encode()
    for entry in entries:
        large = len(entry.shape) == 2 and min(entry.shape) >= _LEAST_QUANTISED
        if not large or ".transformer_blocks." not in entry.name:
            yield entry
            continue
        layer = entry.name.removesuffix("weight")
        scale = struct.pack("<f", scale_of(entry)[1] / SPREAD_F8)
        yield replace(entry, dtype="F8_E4M3")
        yield TensorSpec(layer + "weight_scale", (), scale, "F32")
        yield TensorSpec(layer + "comfy_quant", (len(note),), note)


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
