"""For which model a LoRA was made, told from its name and its safetensors header."""

import re
from collections.abc import Mapping

from core.models.catalog import LTX_2_3, ModelFamily
from core.workflow.errors import LoraOfAnotherBase

# First match wins; names are compared in lower case with every separator as "-".
_BASES: tuple[tuple[str, str], ...] = (
    (r"ltx-?2-3|ltx-?23", "LTX-2.3"),
    (r"ltx-?2-5", "LTX-2.5"),
    (r"ltx-?2-4", "LTX-2.4"),
    (r"ltx-?2(?!\d)", "LTX-2.0 (19B)"),
    (r"ltxv|ltx-video|ltx-0-9", "LTX-Video 0.9"),
    (r"wan-?2|wan-?vace", "Wan"),
    (r"hunyuan|hyvid", "HunyuanVideo"),
    (r"flux", "FLUX"),
    (r"qwen", "Qwen-Image"),
    (r"sdxl|sd-xl|stable-diffusion-xl|illustrious|pony", "SDXL"),
    (r"sd-?1-?5|sd-?v?1|stable-diffusion-v1", "Stable Diffusion 1"),
)
_KEYS = ("modelspec.architecture", "ss_base_model_version", "base_model", "model_version")


def base_of(file: str, metadata: Mapping[str, str] | None = None) -> str | None:
    """Return the name of the model that the LoRA in ``file`` was made for, None if unknown.

    Args:
        file: its name, with or without folders.
        metadata: the header of the safetensors file; what it says counts more than the name.
    """
    said = [metadata[key] for key in _KEYS if key in metadata] if metadata else []
    name = file.replace("\\", "/").rpartition("/")[2]
    for text in (*said, name):
        plain = re.sub(r"[^a-z0-9]+", "-", text.lower())
        for pattern, base in _BASES:
            if re.search(rf"(?:^|-)(?:{pattern})", plain):
                return base
    return None


def require_base(
    file: str, metadata: Mapping[str, str] | None = None, family: ModelFamily = LTX_2_3
) -> None:
    """Refuse a LoRA that is known to be made for another model than ``family``.

    Raises:
        LoraOfAnotherBase: with the file's name and both bases.
    """
    base = base_of(file, metadata)
    if base is not None and base != family.name:
        raise LoraOfAnotherBase(file, base, family.name)
