"""Make small pictures of admitted files, for lists."""

from io import BytesIO
from pathlib import Path

from PIL import Image

from core.domain.dimensions import Size
from core.domain.media import MediaFile, MediaKind
from core.media.decode import load_image, video_frames
from core.media.pyav import FFmpegError

SIDE = 128  # px of the longer side: a row is 44 px high, on a screen with two or three dots each
_QUALITY = 80  # of JPEG; about 4 kB


def thumbnail(path: Path, file: MediaFile) -> bytes | None:
    """Return a small JPEG of a picture, or of the beginning of a film.

    Args:
        path: an admitted file.
        file: what is known of it.

    Returns:
        None where it has no picture, or cannot be read.
    """
    try:
        match file.kind:
            case MediaKind.AUDIO:
                return None
            case MediaKind.IMAGE:
                pixels = load_image(path, _fitted(file))
            case MediaKind.VIDEO:
                pixels = next(iter(video_frames(path, file.fps or 1.0, 1, _fitted(file))))
    except (OSError, FFmpegError, StopIteration):
        return None
    written = BytesIO()
    Image.fromarray(pixels).save(written, "JPEG", quality=_QUALITY)
    return written.getvalue()


def _fitted(file: MediaFile) -> Size:
    longer = max(file.width, file.height, 1)
    return Size(*(max(1, round(side * SIDE / longer)) for side in (file.width, file.height)))
