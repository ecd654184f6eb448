"""Headers that lie are refused before anything is loaded."""

import json
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from core.i18n.messages import explain
from core.models.errors import ModelFileRefused
from core.models.safetensors_header import read_header, refuse_other_formats

Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write a file whose header is ``entries`` and whose tensors have ``body`` bytes."""

    def write(entries: Any, body: int = 8, length: int | None = None) -> Path:
        text = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
        path = tmp_path / "made.safetensors"
        path.write_bytes(struct.pack("<Q", length or len(text)) + text + bytes(body))
        return path

    return write


def tensor(dtype: Any = "F32", shape: Any = (2,), offsets: Any = (0, 8)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def fault_of(path: Path) -> str:
    with pytest.raises(ModelFileRefused) as caught:
        read_header(path)
    assert caught.value.fault not in explain(caught.value), "the fault has no words"
    return caught.value.fault


def test_a_real_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "real.safetensors"
    save_file({"a": np.zeros((3, 4), np.float16)}, path, {"base": "ltx-2.3-22b"})

    header = read_header(path)

    assert header.tensors["a"].shape == (3, 4)
    assert header.metadata == {"base": "ltx-2.3-22b"}


def test_packed_four_bit_numbers_are_counted_in_bits(make: Make) -> None:
    path = make({"a": tensor("F4", [4, 4], [0, 8])})

    assert read_header(path).tensors["a"].dtype == "F4"


@pytest.mark.parametrize(
    ("entries", "fault"),
    [
        ({"a": tensor("PICKLE")}, "header_dtype"),
        ({"a": tensor(dtype=1)}, "header_dtype"),
        ({"a": tensor(shape=[3])}, "header_shape"),
        ({"a": tensor(shape=[-2])}, "header_entry"),
        ({"a": tensor(shape=[True, 2])}, "header_entry"),
        ({"a": tensor(shape="2")}, "header_entry"),
        ({"a": tensor(offsets=[0])}, "header_entry"),
        ({"a": tensor(offsets=[8, 0])}, "header_shape"),
        ({"a": tensor(offsets=[4, 12])}, "tensor_offsets"),
        ({"a": tensor(), "b": tensor(offsets=[4, 12])}, "tensor_offsets"),
        ({"a": tensor(), "b": tensor(offsets=[8, 16])}, "file_truncated"),
        ({}, "file_trailing"),
        ({"a": 3}, "header_entry"),
        ({"__metadata__": {"a": 1}}, "header_metadata"),
        ({"__metadata__": []}, "header_metadata"),
        ([], "header_json"),
        (b"{nonsense", "header_json"),
        (b"\xff\xfe\xff\xfe", "header_json"),
        (b"[" * 100_000, "header_json"),
    ],
)
def test_a_header_that_lies_is_refused(make: Make, entries: Any, fault: str) -> None:
    assert fault_of(make(entries)) == fault


@pytest.mark.parametrize("length", [2**63, 10**9, 1, 500])
def test_an_impossible_header_length_is_never_read(make: Make, length: int) -> None:
    assert fault_of(make({"a": tensor()}, length=length)) == "header_length"


def test_short_and_absent_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "short.safetensors"
    path.write_bytes(b"\x80\x04")

    assert fault_of(path) == "header_length"
    assert fault_of(tmp_path / "absent.safetensors") == "file_unreadable"


@pytest.mark.parametrize("name", ["a.pt", "a.ckpt", "a.gguf", "a.bin", "a.safetensors.pt"])
def test_other_formats_are_refused_by_name(name: str) -> None:
    with pytest.raises(ModelFileRefused):
        refuse_other_formats(name)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(tmp_path_factory: Any, content: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "any.safetensors"
    path.write_bytes(content)

    with suppress(ModelFileRefused):
        read_header(path)
