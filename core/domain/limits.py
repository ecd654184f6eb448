"""What a request may ask for. One frozen record, filled from the settings, passed to who checks."""

from dataclasses import dataclass

from core.errors import OutOfRange

MEGABYTE = 1_000_000
MEGAPIXEL = 1_000_000


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """Ranges of a request's values; the defaults are the product's."""

    prompt_characters: int = 2000
    min_seconds: float = 1.0
    max_seconds: float = 20.0
    max_film_seconds: float = 60.0  # of a clip with all that it was continued by
    min_side: int = 256
    max_side: int = 1920
    max_pixels: int = 2_100_000
    min_fps: int = 8
    max_fps: int = 30
    default_fps: int = 24
    default_seconds: float = 5.0


@dataclass(frozen=True, slots=True)
class MediaLimits:
    """Ranges of an uploaded file. Bytes are decimal megabytes, as chat platforms count them."""

    image_bytes: int = 50 * MEGABYTE
    image_pixels: int = 200 * MEGAPIXEL  # what each format may have: media/intake/picture_limits
    stream_bytes: int = 50 * MEGABYTE
    stream_seconds: float = 60.0
    use_seconds: float = 20.0  # of a film: what is longer is cut there, as no clip is longer
    video_pixels: int = 9 * MEGAPIXEL  # one frame; 4096×2160 fits
    decode_seconds: float = 60.0  # processor time of one decode
    # of the child that decodes, interpreter included; measured by bench/media_cost.py
    decode_memory: int = 520 * MEGABYTE


MOST_FPS = 60  # what chats and browsers play everywhere


def most_fps(limits: RequestLimits) -> int:
    """Return the highest rate of a clip: twice the highest that is sampled, at most 60."""
    return max(limits.max_fps, min(MOST_FPS, 2 * limits.max_fps))


def check_range(name: str, value: float, low: float, high: float, unit: str = "") -> None:
    """Refuse ``value`` where it lies outside ``low`` … ``high``.

    Raises:
        OutOfRange: naming the field, the value and both ends.
    """
    if not low <= value <= high:  # also refuses NaN
        raise OutOfRange(name, value, low, high, unit)
