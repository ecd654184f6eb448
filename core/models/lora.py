"""Whether a LoRA was made for the models in use.

The LoRAs of LTX-2 (19B) have the same tensor names and shapes as those of LTX-2.3 (22B), load
without complaint and ruin the picture. So the base is read from what the file says of itself: its
name, then its metadata, and only then the names of its tensors.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from core.models.catalog import LTX_2_3, ModelFamily
from core.models.errors import LoraRefused
from core.models.safetensors_header import Header, read_header, refuse_other_formats

# first match wins; the words are spelled as people spell them in file names and metadata
_BASES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (base, re.compile(pattern))
    for base, pattern in (
        ("ltx-2.5", r"ltx[-_ ]?v?2[._]5"),
        ("ltx-2.3-22b", r"ltx[-_ ]?v?2[-._]3|ltx.*\b22b|ltx23"),
        ("ltx-2-19b", r"ltx.*19b|ltx[-_ ]?v?2(?![-._]?\d)"),
        ("ltx-video", r"ltx[-_ ]?v(?:ideo)?|ltx[-_ ]?0[._]9"),
        ("wan", r"\bwan[-_ ]?\d|wan2"),
        ("hunyuan", r"hunyuan"),
        ("flux", r"\bflux"),
        ("qwen-image", r"qwen"),
        ("sdxl", r"sdxl|\bsd[-_ ]?xl|pony|illustrious"),
        ("sd-1.5", r"\bsd[-_ ]?1[._]?5|stable-diffusion-v1"),
    )
)
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


def base_by_name(name: str) -> str | None:
    """Return the base that the words in ``name`` tell, or None where they tell none."""
    text = name.lower().replace("\\", "/")
    return next((base for base, pattern in _BASES if pattern.search(text)), None)


def base_of(name: str, header: Header) -> str | None:
    """Return the base of a LoRA, or None where nothing in the file tells it."""
    told = base_by_name(name.rpartition("/")[2])
    if told is not None:
        return told
    values = [header.metadata[key] for key in _METADATA_KEYS if key in header.metadata]
    by_metadata = next((base for base in map(base_by_name, values) if base is not None), None)
    return by_metadata or _base_by_keys(header.tensors)


def _base_by_keys(keys: Iterable[str]) -> str | None:
    names = list(keys)
    for base, pattern in _FOREIGN_KEYS:
        if any(pattern.search(key) for key in names):
            return base
    return None if any(_LTX_KEYS.search(key) for key in names) else "unknown"


def refuse_other_base_by_name(name: str, family: ModelFamily = LTX_2_3) -> None:
    """Refuse a LoRA whose file name tells another base.

    Raises:
        LoraRefused: the name tells a base, and it is not the family's.
        ModelFileRefused: not a ``.safetensors`` name.
    """
    refuse_other_formats(name)
    found = base_by_name(name)
    if found not in {None, family.base}:
        raise LoraRefused(name, str(found), family.base)


def refuse_other_base(path: Path, family: ModelFamily = LTX_2_3) -> Header:
    """Return the header of the LoRA at ``path``, unless it was made for another base.

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
