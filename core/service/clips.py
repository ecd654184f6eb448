"""Prepare finished clips for the destination that a delivery brings them to."""

from pathlib import Path

from core.domain.media import Clip
from core.media.output.transcode import fit_clip


async def fitted_clip(clip: Clip, limit_bytes: int) -> Path:
    """Make a copy of ``clip`` that a destination with an upload limit accepts.

    Takes the record: only a delivery that was handed the clip, or a caller who may see it, has one.

    Args:
        clip: a finished clip.
        limit_bytes: what the destination accepts.

    Returns:
        The clip's own path where it fits; otherwise a smaller file beside it, made only once and
        deleted with it.

    Raises:
        ClipTooLarge: no acceptable quality fits.
        OSError: errno ENOSPC, the disk is full.
    """
    return await fit_clip(clip.path, limit_bytes)
