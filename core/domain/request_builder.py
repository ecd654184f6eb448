"""Build a request from what a person typed: defaults, snapping, limits, and what was adjusted.

The only place that decides sizes, lengths and seeds, so every front answers the same.
"""

import re
import secrets
import unicodedata
from collections.abc import Mapping
from typing import TypeVar

from core.domain.limits import MAX_SEED, RequestLimits, check_range
from core.domain.media import MediaFile
from core.domain.modes import MODES, Mode
from core.domain.presets import Camera, Preset
from core.domain.requests import Adjustment, Composition, Options, Sampling, make_request
from core.domain.sizing import clip_frames, clip_size
from core.errors import (
    MediaUnexpected,
    NotAChoice,
    PromptMissing,
    PromptTooLong,
)

_LINE_ENDS = re.compile("\r\n?|[\x85\u2028\u2029]")
_JOINERS = "\u200c\u200d"  # zero-width non-joiner and joiner
_KEPT = frozenset(f"\n\t{_JOINERS}")
_UNSEEN = frozenset({"Cc", "Cf", "Cs"})  # Unicode categories: control, format, surrogate


def compose(
    mode: Mode, options: Options, media: Mapping[str, MediaFile], limits: RequestLimits
) -> Composition:
    """Compose the request that ``options`` and ``media`` ask for.

    Args:
        mode: which of the six.
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
    preset = _choice(Preset, "preset", options.preset, Preset.BALANCED)
    camera = _choice(Camera, "camera", options.camera, Camera.NONE)
    fps = limits.default_fps if options.fps is None else options.fps
    check_range("fps", fps, limits.min_fps, limits.max_fps, "fps")
    seed = secrets.randbits(63) if options.seed is None else options.seed
    check_range("seed", seed, 0, MAX_SEED)
    adjustments: list[Adjustment] = []
    shape = media.get(spec.shape_from) if spec.shape_from else None
    size = clip_size(options, preset, shape, limits, adjustments)
    sound = media.get(spec.length_from) if spec.length_from else None
    frames = clip_frames(options.seconds, fps, sound, limits, adjustments)
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
