"""Read HDR of AVIF pictures in their own 10 or 12 bits, which Pillow cuts to 8."""

from dataclasses import replace
from typing import BinaryIO

from core.errors import MediaDamaged
from core.media.intake.picture_source import DEEP_PIXELS, DeepRows
from core.media.intake.protocol import RecodeTask
from core.media.intake.tracks import open_source, prepared
from core.media.pyav import FFmpegError, to_deep_rgb


def deep_rows_of(task: RecodeTask, source: BinaryIO, size: tuple[int, int]) -> DeepRows | None:
    """Return the pixels of the AVIF in ``source``; None where they are no more than 8 bits.

    Also None for what only Pillow reads: a picture that is put together from tiles.

    Args:
        task: the limits.
        source: the file.
        size: of the whole picture before it is turned, px.

    Raises:
        MemoryError: it needs more than is allowed.
    """
    if size[0] * size[1] > DEEP_PIXELS:
        return None
    try:
        with open_source(replace(task, reader="mov"), source) as container:
            tracks = container.streams.video
            if len(tracks) != 1 or (tracks[0].width, tracks[0].height) != size:
                return None
            prepared(task, container, tracks[0].index)
            frame = next(container.decode(tracks[0]))
    except MemoryError:
        raise
    except (FFmpegError, MediaDamaged, StopIteration):
        return None
    if frame.format.components[0].bits <= 8:
        return None
    whole = to_deep_rgb(frame)
    return lambda top, bottom: whole[top:bottom]
