"""Judge for which models a LoRA was made; every place that takes one asks here.

The LoRAs of LTX-2 (19B) have the same tensor names and shapes as those of LTX-2.3 (22B), load
without complaint and ruin the picture. So the base is read from what the file says of itself: its
metadata, then tensors that only another network has, then its name.
"""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from core.models.bases import base_by_name, file_name
from core.models.catalog import FAMILY, ModelFamily
from core.models.errors import LoraRefused
from core.models.safetensors_header import Header, read_header, refuse_other_formats

_METADATA_KEYS = (
    "modelspec.architecture",
    "ss_base_model_version",
    "ss_sd_model_name",
    "base_model",
    "base_model_name",
    "model_version",
)
_FOREIGN_KEYS = (
    ("flux", re.compile(r"double_blocks|single_blocks|single_transformer_blocks")),
    ("wan", re.compile(r"(?:^|\.)blocks\.\d+\.(?:self_attn|cross_attn)")),
    ("sd", re.compile(r"lora_unet_|lora_te\d?_|down_blocks|input_blocks")),
)
_LTX_KEYS = re.compile(r"transformer_blocks\.\d+\.")


def base_of(name: str, header: Header) -> str | None:
    """Return the base of a LoRA, or None where nothing in the file tells it."""
    said = [header.metadata[key] for key in _METADATA_KEYS if key in header.metadata]
    told = [base_by_name(text) for text in said]
    told += [_foreign_base(header.tensors), base_by_name(file_name(name))]
    known = next((base for base in told if base is not None), None)
    fits = any(_LTX_KEYS.search(key) for key in header.tensors)
    return known or (None if fits else "unknown")


def _foreign_base(keys: Iterable[str]) -> str | None:
    """Return the base whose blocks the tensors are named for, None where it may be ours."""
    names = list(keys)
    for base, pattern in _FOREIGN_KEYS:
        if any(pattern.search(key) for key in names):
            return base
    return None


def refuse_other_base_by_name(name: str, family: ModelFamily = FAMILY) -> None:
    """Refuse a LoRA whose file name tells another base.

    Raises:
        LoraRefused: the name tells a base, and it is not the family's.
        ModelFileRefused: not a ``.safetensors`` name.
    """
    refuse_other_formats(name)
    found = base_by_name(file_name(name))
    if found not in {None, family.base}:
        raise LoraRefused(name, str(found), family.base)


def refuse_other_base(path: Path, family: ModelFamily = FAMILY) -> Header:
    """Read the header of the LoRA at ``path``; refuse one that was made for another base.

    Reads from the disk: call it in a thread.

    Raises:
        LoraRefused: name, metadata or tensors tell another base.
        ModelFileRefused: not a sound safetensors file.
    """
    refuse_other_formats(path.name)
    header = read_header(path)
    found = base_of(path.name, header)
    if found not in {None, family.base}:
        raise LoraRefused(path.name, str(found), family.base)
    return header


def check_lora(name: str, folder: Path | None, family: ModelFamily = FAMILY) -> None:
    """Refuse a LoRA of another base: by its header where the file is there, else by its name.

    Args:
        name: as a graph names it, relative to the folder of LoRAs; either slash parts folders.
        folder: where LoRAs lie on this machine; None where that is not known.
        family: the models in use.

    Raises:
        LoraRefused: what the file says of itself, or its name, tells another base.
        ModelFileRefused: the file is there and is no sound safetensors file.
    """
    path = _inside(folder, name)
    if path is not None:
        refuse_other_base(path, family)
        return
    found = base_by_name(file_name(name))
    if found not in {None, family.base}:
        raise LoraRefused(name, str(found), family.base)


def _inside(folder: Path | None, name: str) -> Path | None:
    """Find the file that ``name`` means in ``folder``; None where it is absent or outside."""
    if folder is None:
        return None
    # without following links: files of the hub cache are linked into the folder
    path = Path(os.path.normpath(folder / name.replace("\\", "/")))
    return path if path.is_relative_to(os.path.normpath(folder)) and path.is_file() else None
