"""Tell from a file's name for which model it was made: the generation that it is based on."""

import re
from pathlib import PurePosixPath

# The first match at the beginning of a word wins; texts are compared in lower case with every
# separator as "-". People write a version with or without its point and its size, and also how many
# steps a model is made for.
_BASES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (base, re.compile(rf"(?:^|-)(?:{pattern})"))
    for base, pattern in (
        ("ltx-2.6 or later", r"ltx-?v?(?:2-?[6-9]|[3-9](?:-\d)?)(?![a-z0-9])(?!-?step)"),
        ("ltx-2.5", r"ltx-?v?2-?5(?![a-z0-9])"),
        ("ltx-2.4", r"ltx-?v?2-?4(?![a-z0-9])"),
        ("ltx-2.3-22b", r"ltx-?v?2-?3(?![a-z0-9])|ltx[-a-z0-9]*22b"),
        ("ltx-2-19b", r"ltx[-a-z0-9]*19b|ltx-?v?2(?:-0)?(?!\d)"),
        ("ltx-video", r"ltx-?v(?:ideo)?|ltx-?0-?9"),
        ("wan", r"wan-?\d|wan-?vace"),
        ("hunyuan", r"hunyuan|hyvid"),
        ("flux", r"flux"),
        ("qwen-image", r"qwen"),
        ("sdxl", r"sdxl|sd-xl|stable-diffusion-xl|pony|illustrious"),
        ("sd-1.5", r"sd-?v?1(?:-?5)?(?!\d)|stable-diffusion-v1"),
    )
)


def base_by_name(name: str) -> str | None:
    """Return the base that the words in ``name`` tell, or None where they tell none."""
    words = re.sub(r"[^a-z0-9]+", "-", name.lower())
    return next((base for base, pattern in _BASES if pattern.search(words)), None)


def file_name(name: str) -> str:
    """Return the last part of ``name``; either slash parts folders."""
    return PurePosixPath(name.replace("\\", "/")).name
