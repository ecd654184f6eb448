"""Store large matrices as quantised files of ComfyUI do: values, scales and a note."""

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from core.comfy.testing.tensor_specs import SPREAD_F8, TensorSpec, scale_of

SPREAD_I8 = 73.3  # of whole numbers drawn evenly from -127 to 127
_SPREAD_F4 = 3.0  # of pairs of four bits drawn evenly, about
_LEAST = 1024  # rows and columns of a matrix that is stored so
_BLOCK = 16  # columns that share a scale of their own in four bits
_ONE_F8 = b"\x38"  # 1.0


@dataclass(frozen=True, slots=True)
class Quantisation:
    """One way of storing matrices; ``name`` is ComfyUI's."""

    name: str
    dtype: str  # of the values in the file
    places: tuple[str, ...]  # in the names of the matrices
    rows: bool = False  # a scale for each row, not one for all
    more: dict[str, object] = field(default_factory=dict[str, object])  # in the note


FP8 = Quantisation("float8_e4m3fn", "F8_E4M3", (".transformer_blocks.",))
INT8 = Quantisation(
    "int8_tensorwise",
    "I8",
    ("transformer_blocks.", "transformer_1d_blocks."),
    rows=True,
    more={"convrot": True, "convrot_groupsize": 256},
)
FP4 = Quantisation("nvfp4", "U8", ("model.layers.",))


def quantised(entries: Iterator[TensorSpec], way: Quantisation) -> Iterator[TensorSpec]:
    """Yield ``entries`` with the large matrices stored as ``way`` says."""
    note = json.dumps({"format": way.name, **way.more}).encode()
    for entry in entries:
        large = len(entry.shape) == 2 and min(entry.shape) >= _LEAST
        if not large or not any(place in entry.name for place in way.places):
            yield entry
            continue
        layer = entry.name.removesuffix("weight")
        yield from _fours(entry, layer) if way is FP4 else _eights(entry, layer, way)
        yield TensorSpec(layer + "comfy_quant", (len(note),), note)


def _eights(entry: TensorSpec, layer: str, way: Quantisation) -> Iterator[TensorSpec]:
    rows = entry.shape[0] if way.rows else 1
    spread = SPREAD_I8 if way is INT8 else SPREAD_F8
    scale = struct.pack("<f", scale_of(entry)[1] / spread)
    yield replace(entry, dtype=way.dtype)
    yield TensorSpec(layer + "weight_scale", (rows, 1) if way.rows else (), scale * rows, "F32")


def _fours(entry: TensorSpec, layer: str) -> Iterator[TensorSpec]:
    """Yield two values a byte, a scale for each block of a row, and one for all."""
    rows, columns = entry.shape
    blocks = columns // _BLOCK
    yield replace(entry, shape=(rows, columns // 2), dtype="U8")
    yield TensorSpec(layer + "weight_scale", (rows, blocks), _ONE_F8 * (rows * blocks), "F8_E4M3")
    scale = struct.pack("<f", scale_of(entry)[1] / _SPREAD_F4)
    yield TensorSpec(layer + "weight_scale_2", (), scale, "F32")
