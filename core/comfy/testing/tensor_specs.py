"""What tensors a stand-in file holds, and how their random values are spread."""

import json
import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

LARGEST_F8 = 448.0
LARGEST_I8 = 127
SPREAD_I8 = 73.3  # of whole numbers drawn evenly up to the largest
SPREAD_F8 = 112.0  # of random values in 8 bits: four times of it is the largest
_ROTATED = 256  # columns that are rotated together
_LEAST_QUANTISED = 1024  # rows and columns of a matrix that published fp8 files hold in 8 bits


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


def in_eight_bits(
    entries: Iterator[TensorSpec], kind: str = "float8_e4m3fn"
) -> Iterator[TensorSpec]:
    """Store large matrices as ComfyUI's quantised files do: values, their scale, a note.

    Args:
        entries: of the whole file.
        kind: ``float8_e4m3fn``, with one scale a matrix, in the blocks alone; ``int8_tensorwise``,
            rotated and with a scale for each row, in the connectors of the text too.
    """
    whole = kind == "int8_tensorwise"
    more = {"convrot": True, "convrot_groupsize": _ROTATED} if whole else {}
    note = json.dumps({"format": kind, **more}).encode()
    places = (".transformer_blocks.", *((".transformer_1d_blocks.",) if whole else ()))
    for entry in entries:
        large = len(entry.shape) == 2 and min(entry.shape) >= _LEAST_QUANTISED
        if not large or not any(place in entry.name for place in places):
            yield entry
            continue
        layer = entry.name.removesuffix("weight")
        rows = entry.shape[0] if whole else 1
        scale = scale_of(entry)[1] / (SPREAD_I8 if whole else SPREAD_F8)
        shape = (rows, 1) if whole else ()
        yield replace(entry, dtype="I8" if whole else "F8_E4M3")
        yield TensorSpec(layer + "weight_scale", shape, struct.pack("<f", scale) * rows, "F32")
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
