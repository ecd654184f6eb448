"""Decide the size and the length of a clip: what was typed, what a file gives, what is allowed.

The only home of these rules; requests, follow-ups, suggestions and estimates take them from here.
"""

import math

from core.domain.adjustments import Adjustment
from core.domain.dimensions import (
    FRAME_STRIDE,
    Size,
    fit_ratio,
    inside,
    lengthen_frames,
    nearest_inside,
    other_side,
    play_time,
    shorten_frames,
    snap_frames,
    snap_size,
)
from core.domain.limits import RequestLimits, check_range
from core.domain.media import MediaFile
from core.domain.options import ASPECTS, Options
from core.domain.presets import PRESETS, Preset, PresetSpec, limits_of
from core.errors import FpsNotEven, NotAChoice, OutOfRange, Scalar


def clip_size(
    options: Options,
    preset: Preset,
    shape: MediaFile | None,
    limits: RequestLimits,
    adjustments: list[Adjustment],
) -> Size:
    """Choose the size of what ``preset`` makes.

    Args:
        options: what was typed.
        preset: chosen already.
        shape: the picture or film whose shape the clip has, if the mode has one.
        limits: of finished clips.
        adjustments: what differs from what was typed is added to it.

    Raises:
        NotAChoice: an unknown aspect.
        OutOfRange: a side, or both together, leave the limits.
    """
    spec = PRESETS[preset]
    ratio = _ratio(options.aspect, shape)
    if options.width is not None or options.height is not None:
        asked = _asked_sides(options, ratio or spec.size.ratio, limits)
        return _asked_size(asked, spec, limits, adjustments)
    if ratio is None and inside(spec.size, limits_of(spec, limits)):
        return spec.size
    return shaped_size(ratio or spec.size.ratio, preset, limits)


def shaped_size(ratio: float, preset: Preset, limits: RequestLimits) -> Size:
    """Return the size that ``preset`` makes in the shape ``ratio`` (width ÷ height).

    Args:
        ratio: > 0.
        preset: whose number of pixels is aimed at.
        limits: of finished clips.
    """
    spec = PRESETS[preset]
    within = limits_of(spec, limits)
    return fit_ratio(ratio, min(spec.size.pixels, within.max_pixels), within)


def _ratio(aspect: str | None, shape: MediaFile | None) -> float | None:
    """Return width ÷ height as typed, else as the file has it, else None.

    Raises:
        NotAChoice: an unknown aspect.
    """
    if aspect is not None:
        if aspect not in ASPECTS:
            raise NotAChoice("aspect", aspect[:40], ", ".join(ASPECTS))
        return ASPECTS[aspect]
    if shape is not None and shape.width and shape.height:
        return shape.width / shape.height
    return None


def _asked_size(
    asked: Size, spec: PresetSpec, limits: RequestLimits, adjustments: list[Adjustment]
) -> Size:
    """Choose the size for the sides that were typed, which are those of the finished clip."""
    size = snap_size(asked)
    if not inside(size, limits):
        size = nearest_inside(asked, limits)
    if spec.scale > 1:
        return _drafted(size, spec, limits, adjustments)
    if size != asked:
        adjustments.append(Adjustment("size_snapped", {"asked": str(asked), "becomes": str(size)}))
    return size


def _asked_sides(options: Options, ratio: float, limits: RequestLimits) -> Size:
    """Return both sides as typed; one that was not follows ``ratio``.

    Raises:
        OutOfRange: a side, or both together, leave the limits.
    """
    width, height = options.width, options.height
    for name, side in (("width", width), ("height", height)):
        if side is not None:
            check_range(name, side, limits.min_side, limits.max_side, "px")
    if width is None:
        width = other_side(height or limits.min_side, ratio, limits)
    if height is None:
        height = other_side(width, 1 / ratio, limits)
    if width * height > limits.max_pixels:
        asked, low, high = width * height, limits.min_side**2, limits.max_pixels
        raise OutOfRange("pixels", asked / 1e6, low / 1e6, high / 1e6, "Mpx")
    return Size(width, height)


def _drafted(
    finished: Size, spec: PresetSpec, limits: RequestLimits, adjustments: list[Adjustment]
) -> Size:
    """Return the size of the draft of a ``finished`` clip; it is told what that becomes."""
    scale = spec.scale
    half = Size(finished.width // scale, finished.height // scale)
    size = snap_size(half)
    if not inside(size, limits_of(spec, limits)):
        size = nearest_inside(half, limits_of(spec, limits))
    becomes = Size(size.width * scale, size.height * scale)
    data: dict[str, Scalar] = {"becomes": str(size), "finished": str(becomes)}
    adjustments.append(Adjustment("draft_size", data))
    return size


def clip_frames(
    seconds: float | None,
    fps: int,
    source: MediaFile | None,
    limits: RequestLimits,
    adjustments: list[Adjustment],
) -> int:
    """Choose the number of frames: the nearest to what was typed, never less than a file has.

    Args:
        seconds: as typed.
        fps: chosen already.
        source: the sound or film that gives the length, if the mode has one.
        limits: in force.
        adjustments: what differs from what was typed is added to it.

    Raises:
        OutOfRange: the seconds leave the limits.
    """
    if seconds is not None:
        check_range("seconds", seconds, limits.min_seconds, limits.max_seconds, "s")
    if source is None:
        wanted = limits.default_seconds if seconds is None else seconds
        return snapped_frames(min(wanted, limits.max_seconds), fps, limits)
    available = max(source.seconds, limits.min_seconds)
    wanted = min(available if seconds is None else seconds, limits.max_seconds)
    if seconds is None and source.seconds > limits.max_seconds:
        adjustments.append(
            Adjustment("length_cut", {"source_s": source.seconds, "becomes_s": limits.max_seconds})
        )
    frames = snapped_frames(wanted, fps, limits)
    if available <= wanted:  # the last word is at the end: what is missing is held, not cut
        frames = _lengthened(available, fps, limits)
    if frames < snapped_frames(wanted, fps, limits):
        adjustments.append(
            Adjustment("length_of_source", {"asked_s": wanted, "becomes_s": available})
        )
    return frames


def snapped_frames(seconds: float, fps: int, limits: RequestLimits) -> int:
    """Return the frame count for ``seconds`` whose last frame begins within the limits."""
    frames = snap_frames(seconds, fps)
    if play_time(frames - 1, fps) > limits.max_seconds:
        return shorten_frames(seconds, fps)
    if play_time(frames, fps) < limits.min_seconds:
        return frames + FRAME_STRIDE
    return frames


def _lengthened(seconds: float, fps: int, limits: RequestLimits) -> int:
    """Return the frame count for all of ``seconds``, or the most that the limits allow."""
    frames = lengthen_frames(seconds, fps)
    if play_time(frames - 1, fps) > limits.max_seconds:
        return snapped_frames(seconds, fps, limits)
    return frames


def typed_seconds(frames: int, fps: int, limits: RequestLimits, digits: int = 2) -> float:
    """Return what to type to get ``frames`` at ``fps``: s with ``digits`` decimals.

    It lies within ``limits`` where the clip does, so it is accepted when it is typed.

    Args:
        frames: 8k + 1.
        fps: frames a second.
        limits: in force.
        digits: 1 or more; half a stride of frames is longer than a tenth of a second.
    """
    unit = 10**digits
    seconds = round((frames - 1) / fps, digits)
    if play_time(frames, fps) >= limits.min_seconds:
        seconds = max(seconds, math.ceil(limits.min_seconds * unit - 1e-6) / unit)
    if play_time(frames - 1, fps) <= limits.max_seconds:
        seconds = min(seconds, math.floor(limits.max_seconds * unit + 1e-6) / unit)
    return seconds


def is_doubled(fps: int, limits: RequestLimits) -> bool:
    """Tell whether a clip of ``fps`` is sampled at half of it.

    Raises:
        FpsNotEven: half of it is no whole number.
    """
    if fps <= limits.max_fps:
        return False
    if fps % 2:
        raise FpsNotEven(fps, limits.max_fps)
    return True


def doubled_frames(frames: int) -> int:
    """Return how many frames there are once one was put between every two."""
    return 2 * (frames - 1) + 1
