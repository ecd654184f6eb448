"""Bring what people wrote into the room that there is for it."""

from collections.abc import Callable


def one_line(text: str) -> str:
    """Return ``text`` without line breaks."""
    return " ".join(text.split())


def cut(text: str, limit: int, units: Callable[[str], int] = len) -> str:
    """Return as much of ``text`` as ``limit`` units take; “…” stands for what was cut off."""
    if units(text) <= limit:
        return text
    kept = text[: max(0, limit)]
    while kept and units(f"{kept}…") > limit:
        kept = kept[:-1]
    return f"{kept.rstrip()}…" if kept.strip() else ""
