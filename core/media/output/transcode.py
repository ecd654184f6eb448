"""Re-encode a finished clip for a place with a smaller limit, and extract its last frame.

Only for clips of ours: they are decoded in this process.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
from av.video.frame import VideoFrame
from PIL import Image

from core.domain.dimensions import Size
from core.errors import ClipTooLarge
from core.media.decode import load_sound
from core.media.output.encode import SOUND_RATE, EncoderSettings, stereo, write_mp4
from core.media.pyav import to_rgb
from core.runtime import file_names
from core.runtime.atomic_files import whole_file
from core.runtime.threads import Check, in_thread

_SCALES = (1.0, 0.75, 0.5, 0.375, 0.25)  # of both sides
# bits a pixel, as a share of the crf 18 original: a quarter looks like crf 28, the least we send
_LEAST_SHARE = 0.25
_MARGIN = 0.97  # of the limit; the rate control's error takes the rest
_FRAME_BITS = 8 * 24  # the tables' share of one frame, its picture and its sound
_CONTAINER_BITS = 8 * 4096
_LEAST_VIDEO_BPS = 16_000
_TRIES = 3  # encodes of one size, each corrected by the size of the last
_SOUND_BPS = (160_000, 96_000, 64_000)
_SILENCE_BPS = 4_000  # what the encoder makes of it, whatever it was told
_SOUND_SHARE = 0.25  # of the bits, unless the poorest sound needs more
_X264 = {"preset": "fast", "profile": "high"}
_TAGS = ("title", "description", "comment", "creation_time")


@dataclass(frozen=True, slots=True)
class _Clip:
    path: Path
    size: Size
    fps: Fraction
    frames: int
    bytes: int
    has_sound: bool
    tags: dict[str, str]

    @property
    def seconds(self) -> float:
        return float(self.frames / self.fps)


async def fit_clip(clip: Path, limit_bytes: int, folder: Path | None = None) -> Path:
    """Make a file of at most ``limit_bytes`` with the same pictures and sound.

    The bit rate is planned from the limit; the picture becomes smaller where its quality would
    suffer more from staying as large. Length, frame rate, sound and provenance stay.

    Args:
        clip: a finished clip.
        limit_bytes: what the destination takes.
        folder: where the smaller file goes, beside the clip by default. It is named by clip and
            limit, and made only once.

    Returns:
        ``clip`` itself where it fits.

    Raises:
        ClipTooLarge: no acceptable quality does.
        OSError: errno ENOSPC, the disk is full.
    """
    target = (folder or clip.parent) / f"{clip.stem}-{limit_bytes}.mp4"
    return await in_thread(partial(_fit_clip, clip, target, limit_bytes))


async def last_frame(clip: Path, folder: Path | None = None) -> Path:
    """Write the last frame of ``clip`` as a PNG, to begin the next clip with.

    Args:
        clip: a finished clip.
        folder: where the PNG goes, beside the clip by default.

    Returns:
        Its path, named by the clip.
    """
    target = (folder or clip.parent) / f"{clip.stem}-last.png"
    await in_thread(partial(_write_last_frame, clip, target))
    return target


def files_of_clip(clip: Path) -> list[Path]:
    """Return every file that belongs to ``clip`` and lies beside it, itself included."""
    made = (
        path
        for path in file_names.entries_of(clip.parent, file_names.CLIP)
        if path.stem.startswith(f"{clip.stem}-")
    )
    return sorted({path for path in (clip, clip.with_suffix(".png"), *made) if path.is_file()})


def _fit_clip(path: Path, target: Path, limit_bytes: int, check: Check) -> Path:
    """Use ``path`` where it fits, else write ``target`` with the largest picture that fits.

    Raises:
        ClipTooLarge: not even the smallest will do.
    """
    if path.stat().st_size <= limit_bytes:
        return path
    if target.exists():
        return target
    clip = _look(path)
    with whole_file(target) as part:
        for scale in _SCALES:
            if limit_bytes < int(clip.bytes * scale**2 * _LEAST_SHARE):
                continue
            if _encode(clip, part, scale, limit_bytes, check) <= limit_bytes:
                return target
        raise ClipTooLarge("too_large", max(_least_bytes(clip), limit_bytes + 1), limit_bytes)


def _least_bytes(clip: _Clip) -> int:
    """Estimate the bytes of the poorest version that we send."""
    sound = _SOUND_BPS[-1] * clip.seconds / 8 if clip.has_sound else 0
    return math.ceil(clip.bytes * _SCALES[-1] ** 2 * _LEAST_SHARE + sound)


def _encode(clip: _Clip, part: Path, scale: float, limit_bytes: int, check: Check) -> int:
    """Write ``part`` with the planned bit rate, corrected until it fits; return its bytes."""
    size = Size(_even(clip.size.width * scale), _even(clip.size.height * scale))
    bits = limit_bytes * 8 * _MARGIN - clip.frames * _FRAME_BITS - _CONTAINER_BITS
    samples = None
    sound_bps = 0
    if clip.has_sound:
        samples = stereo(load_sound(clip.path, SOUND_RATE, 2), round(clip.seconds * SOUND_RATE))
        affordable = bits * _SOUND_SHARE / clip.seconds
        sound_bps = next((bps for bps in _SOUND_BPS if bps <= affordable), _SOUND_BPS[-1])
    silent = samples is None or not samples.any()
    video_bps = bits / clip.seconds - (_SILENCE_BPS if silent else sound_bps)
    made = clip.bytes
    for _ in range(_TRIES):
        if video_bps < _LEAST_VIDEO_BPS:
            break
        rate = {"maxrate": f"{video_bps * 1.5:.0f}", "bufsize": f"{video_bps * 2:.0f}"}
        recipe = EncoderSettings(
            size, clip.fps, {**_X264, **rate}, round(video_bps), sound_bps, clip.tags
        )
        write_mp4(part, recipe, _pictures(clip.path), samples, check)
        made = part.stat().st_size
        if made <= limit_bytes:
            break
        video_bps *= 0.95 * limit_bytes / made
    return made


def _look(path: Path) -> _Clip:
    with av.open(str(path), "r") as container:
        video = container.streams.video[0]
        return _Clip(
            path=path,
            size=Size(video.width, video.height),
            fps=video.average_rate or Fraction(24),
            frames=video.frames,
            bytes=path.stat().st_size,
            has_sound=bool(container.streams.audio),
            tags={name: container.metadata.get(name, "") for name in _TAGS},
        )


def _pictures(path: Path) -> Iterator[VideoFrame]:
    with av.open(str(path), "r") as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        yield from container.decode(stream)


def _write_last_frame(clip: Path, target: Path, check: Check) -> None:
    if target.exists():
        return
    last: VideoFrame | None = None
    for picture in _pictures(clip):
        check()
        last = picture
    if last is None:
        raise ValueError("a clip without frames")
    with whole_file(target) as part:
        Image.fromarray(to_rgb(last)).save(part, "PNG", compress_level=3)


def _even(side: float) -> int:
    return max(2, int(side) // 2 * 2)
