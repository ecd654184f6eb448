"""Build a request from what a person typed: defaults, snapping, limits, and what was adjusted.

The only place that decides sizes, lengths and seeds, so every front answers the same.
"""

import re
import secrets
import unicodedata
from collections.abc import Mapping
from typing import TypeVar

from core.domain.dimensions import (
    FRAME_STRIDE,
    Size,
    fit_ratio,
    inside,
    nearest_inside,
    other_side,
    play_time,
    shorten_frames,
    snap_frames,
    snap_size,
)
from core.domain.limits import MAX_SEED, RequestLimits
from core.domain.media import MediaFile
from core.domain.modes import MODES, Mode
from core.domain.presets import PRESETS, Camera, Preset, PresetSpec, limits_of
from core.domain.requests import Adjustment, Composition, Options, Sampling, make_request
from core.errors import (
    MediaUnexpected,
    NotAChoice,
    OutOfRange,
    PromptMissing,
    PromptTooLong,
    Scalar,
)

ASPECTS: dict[str, float] = {
    "16:9": 16 / 9,
    "3:2": 3 / 2,
    "4:3": 4 / 3,
    "1:1": 1.0,
    "3:4": 3 / 4,
    "2:3": 2 / 3,
    "9:16": 9 / 16,
}
_LINE_ENDS = re.compile("\r\n?|[\x85\u2028\u2029]")
_JOINERS = "\u200c\u200d"  # zero-width non-joiner and joiner
_KEPT = frozenset(f"\n\t{_JOINERS}")
_UNSEEN = frozenset({"Cc", "Cf", "Cs"})  # Unicode categories: control, format, surrogate


def compose(
    mode: Mode, options: Options, media: Mapping[str, MediaFile], limits: RequestLimits
) -> Composition:
    """Compose the request that ``options`` and ``media`` ask for.

    Args:
        mode: what is made from what.
        options: what was typed.
        media: admitted files by role.
        limits: the ranges in force.

    Returns:
        The request, and every value that differs from what was asked.

    Raises:
        OutOfRange: a number lies outside ``limits``.
        NotAChoice: an unknown preset, aspect or camera move.
        PromptMissing: the mode needs a prompt.
        PromptTooLong: more characters than allowed.
        MediaMissing: a slot of the mode has no file.
        MediaUnexpected: a file in a role that the mode does not have.
    """
    spec = MODES[mode]
    for role in media:
        if role not in {slot.role for slot in spec.slots}:
            raise MediaUnexpected(mode, role)
    prompt = _clean(options.prompt, limits)
    if spec.prompt_required and not prompt:
        raise PromptMissing(mode)
    preset = _choice(Preset, "preset", options.preset, spec.preset)
    camera = _choice(Camera, "camera", options.camera, Camera.NONE)
    fps = limits.default_fps if options.fps is None else options.fps
    _within("fps", fps, limits.min_fps, limits.max_fps, "fps")
    seed = secrets.randbits(63) if options.seed is None else options.seed
    _within("seed", seed, 0, MAX_SEED)
    adjustments: list[Adjustment] = []
    shape = media.get(spec.shape_from) if spec.shape_from else None
    size = _size(options, preset, shape, limits, adjustments)
    sound = media.get(spec.length_from) if spec.length_from else None
    frames = _frames(options.seconds, fps, sound, limits, adjustments)
    sampling = Sampling(
        preset=preset,
        width=size.width,
        height=size.height,
        frames=frames,
        fps=fps,
        seed=seed,
        camera=camera,
        negative_prompt=_clean(options.negative_prompt, limits),
    )
    return Composition(make_request(mode, prompt, sampling, media), tuple(adjustments))


def _size(
    options: Options,
    preset: Preset,
    shape: MediaFile | None,
    limits: RequestLimits,
    adjustments: list[Adjustment],
) -> Size:
    spec = PRESETS[preset]
    budget = spec.size
    if options.width is not None or options.height is not None:
        return _asked_size(options, spec, limits, adjustments)
    limits = limits_of(spec, limits)
    ratio = budget.ratio
    if options.aspect is not None:
        if options.aspect not in ASPECTS:
            raise NotAChoice("aspect", options.aspect[:40], ", ".join(ASPECTS))
        ratio = ASPECTS[options.aspect]
    elif shape is not None and shape.height:
        ratio = shape.width / shape.height
    elif inside(budget, limits):
        return budget
    pixels = min(budget.pixels, limits.max_pixels)
    return nearest_inside(fit_ratio(ratio, pixels, limits.max_side), limits)


def _asked_size(
    options: Options, spec: PresetSpec, limits: RequestLimits, adjustments: list[Adjustment]
) -> Size:
    """Choose the size for the sides that were typed, which are those of the finished clip."""
    asked = _asked_sides(options, spec.size.ratio, limits)
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
            _within(name, side, limits.min_side, limits.max_side, "px")
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


def _frames(
    seconds: float | None,
    fps: int,
    source: MediaFile | None,
    limits: RequestLimits,
    adjustments: list[Adjustment],
) -> int:
    if seconds is not None:
        _within("seconds", seconds, limits.min_seconds, limits.max_seconds, "s")
    if source is None:
        wanted = limits.default_seconds if seconds is None else seconds
        return _snapped_frames(min(wanted, limits.max_seconds), fps, limits)
    available = max(source.seconds, limits.min_seconds)
    wanted = min(available if seconds is None else seconds, limits.max_seconds)
    if seconds is None and source.seconds > limits.max_seconds:
        adjustments.append(
            Adjustment("length_cut", {"source_s": source.seconds, "becomes_s": limits.max_seconds})
        )
    if wanted > available:
        adjustments.append(
            Adjustment("length_of_source", {"asked_s": wanted, "becomes_s": available})
        )
        wanted = available
    return _snapped_frames(wanted, fps, limits)


def _snapped_frames(seconds: float, fps: int, limits: RequestLimits) -> int:
    """Return the frame count for ``seconds`` whose last frame begins within the limits."""
    frames = snap_frames(seconds, fps)
    if play_time(frames - 1, fps) > limits.max_seconds:
        return shorten_frames(seconds, fps)
    if play_time(frames, fps) < limits.min_seconds:
        return frames + FRAME_STRIDE
    return frames


def _clean(text: str, limits: RequestLimits) -> str:
    """Normalise ``text``; it stays literal text for ever.

    Control characters go, and so does what nobody sees but machines read: zero-width characters,
    marks that turn the direction of writing, lone surrogates. Joiners stay, as scripts and emoji
    need them.

    Raises:
        PromptTooLong: more characters than allowed.
    """
    if len(text) > 4 * limits.prompt_characters:  # composing shortens to a quarter at most
        raise PromptTooLong(len(text), limits.prompt_characters)
    text = unicodedata.normalize("NFC", _LINE_ENDS.sub("\n", text))
    text = "".join(c for c in text if c in _KEPT or unicodedata.category(c) not in _UNSEEN)
    text = text.strip().strip(_JOINERS).strip()
    if len(text) > limits.prompt_characters:
        raise PromptTooLong(len(text), limits.prompt_characters)
    return text


_Choice = TypeVar("_Choice", Preset, Camera)


def _choice(kind: type[_Choice], name: str, value: str | None, default: _Choice) -> _Choice:
    if value is None:
        return default
    try:
        return kind(value)
    except ValueError:
        raise NotAChoice(name, value[:40], ", ".join(kind)) from None


def _within(name: str, value: float, low: float, high: float, unit: str = "") -> None:
    if not low <= value <= high:  # also refuses NaN
        raise OutOfRange(name, value, low, high, unit)
