"""The names that artefacts may have: ours only, so that none leads elsewhere or says anything."""

import re

from core.interfaces.artefacts import CLIPS, MEDIA
from core.runtime import file_names

ORIGINAL = re.compile(
    rf"{CLIPS}{file_names.ORIGINAL_CLIP.pattern}|{MEDIA}{file_names.MEDIA.pattern}"
)
_TYPES = {".mp4": "video/mp4", ".png": "image/png", ".flac": "audio/flac", ".jpg": "image/jpeg"}


def require_name(name: str) -> str:
    """Return ``name`` where it is one of ours.

    Raises:
        ValueError: it is not.
    """
    if not ORIGINAL.fullmatch(name):
        raise ValueError(f"{name!r} is no artefact")
    return name


def content_type(name: str) -> str:
    """Return the type that a browser is told of."""
    return _TYPES.get(name[name.rfind(".") :], "application/octet-stream")


def digest_in(name: str) -> str:
    """Return the SHA-256 that an input is named by; empty for clips."""
    return name.removeprefix(MEDIA).partition(".")[0] if name.startswith(MEDIA) else ""
