"""The safetensors header, read and checked before any byte of a file is loaded.

Layout (huggingface/safetensors, "Format"): 8 bytes little-endian header size N, N bytes of JSON,
then the tensors' bytes without holes. Nothing in it can run code, unlike a pickle; a wrong offset
still could make a loader read elsewhere, and a truncated file fails minutes into a job.
"""

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from core.models.errors import ModelFileRefused

SUFFIX = ".safetensors"
MAX_HEADER_BYTES = 100_000_000  # the limit of the reference implementation
_PREFIX_BYTES = 8

# bits a value
DTYPES = {
    "BOOL": 8, "U8": 8, "I8": 8, "U16": 16, "I16": 16, "U32": 32, "I32": 32, "U64": 64, "I64": 64,
    "F16": 16, "BF16": 16, "F32": 32, "F64": 64, "C64": 64,
    "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "F6_E2M3": 6, "F6_E3M2": 6, "F4": 4,
}  # fmt: skip  # one line a kind of number


@dataclass(frozen=True, slots=True)
class Tensor:
    """One entry of the header; ``begin`` and ``end`` are byte offsets after the header."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Header:
    """What a safetensors file says of itself."""

    tensors: dict[str, Tensor]
    metadata: dict[str, str] = field(default_factory=dict[str, str])


def refuse_other_formats(name: str) -> None:
    """Refuse every name that does not end in ``.safetensors``.

    Raises:
        ModelFileRefused: ``.pt``, ``.ckpt``, ``.gguf`` and the like, whatever is in them.
    """
    if not name.endswith(SUFFIX):
        raise ModelFileRefused(name, "not_safetensors")


def read_header(path: Path, name: str | None = None) -> Header:
    """Read and check the header of the file at ``path``.

    Args:
        path: any safetensors file; only its header is read.
        name: what to call it in an error, where the path's own name says nothing (a blob).

    Returns:
        The tensors by name and the metadata.

    Raises:
        ModelFileRefused: the file is too short, the header is not what the format says, a tensor
            has an unknown type or lies outside the file, or the bytes do not add up.
    """
    called = name or path.name
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(_PREFIX_BYTES), "little")
            if size < _PREFIX_BYTES or not 2 <= length <= min(MAX_HEADER_BYTES, size - 8):
                raise ModelFileRefused(called, "header_length")
            entries = _parse(called, file.read(length))
    except OSError:
        raise ModelFileRefused(called, "file_unreadable") from None
    metadata = _metadata(called, entries.pop("__metadata__", {}))
    tensors = {key: _tensor(called, entry) for key, entry in entries.items()}
    _check_coverage(called, tensors, size - _PREFIX_BYTES - length)
    return Header(tensors, metadata)


def _parse(called: str, text: bytes) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise ModelFileRefused(called, "header_json") from None
    if not isinstance(content, dict):
        raise ModelFileRefused(called, "header_json")
    return cast("dict[str, Any]", content)


def _metadata(called: str, entry: object) -> dict[str, str]:
    if not isinstance(entry, dict):
        raise ModelFileRefused(called, "header_metadata")
    values = cast("dict[str, object]", entry)
    if not all(isinstance(value, str) for value in values.values()):
        raise ModelFileRefused(called, "header_metadata")
    return cast("dict[str, str]", values)


def _tensor(called: str, entry: object) -> Tensor:
    values = cast("dict[str, object]", entry) if isinstance(entry, dict) else {}
    dtype = values.get("dtype")
    shape = _sides(values.get("shape"))
    offsets = _sides(values.get("data_offsets"))
    if shape is None or offsets is None or len(offsets) != 2:
        raise ModelFileRefused(called, "header_entry")
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise ModelFileRefused(called, "header_dtype")
    bits = math.prod(shape) * DTYPES[dtype]
    if bits % 8 or offsets[1] - offsets[0] != bits // 8:
        raise ModelFileRefused(called, "header_shape")
    return Tensor(dtype, shape, offsets[0], offsets[1])


def _sides(value: object) -> tuple[int, ...] | None:
    items = cast("list[object]", value) if isinstance(value, list) else [None]
    sides = tuple(item for item in items if type(item) is int and item >= 0)
    return sides if len(sides) == len(items) else None


def _check_coverage(called: str, tensors: dict[str, Tensor], room: int) -> None:
    reached = 0
    for tensor in sorted(tensors.values(), key=lambda item: (item.begin, item.end)):
        if tensor.begin != reached:
            raise ModelFileRefused(called, "tensor_offsets")
        reached = tensor.end
    if reached > room:
        raise ModelFileRefused(called, "file_truncated")
    if reached < room:
        raise ModelFileRefused(called, "file_trailing")
