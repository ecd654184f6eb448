"""Build a request from what a person typed: defaults, snapping, limits, and what was adjusted.

The only place that decides sizes, lengths and seeds, so every front answers the same.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from core.domain.adjustments import Adjustment
from core.domain.continuation import as_the_film, check_film, frames_within, room_for
from core.domain.dimensions import play_time
from core.domain.envelope import beyond_model
from core.domain.fingerprints import fingerprint_of
from core.domain.keyframes import check_times, written_times
from core.domain.limits import RequestLimits, check_range, most_fps
from core.domain.media import MediaFile
from core.domain.modes import MODES, Mode, ModeSpec
from core.domain.options import KEPT, OPTIONS, Option, OptionKind, Options, options_in
from core.domain.presets import Drafts, Preset
from core.domain.request_words import check_words
from core.domain.requests import Composition, Sampling, check_roles, further_drafts, make_request
from core.domain.seeds import MAX_SEED, new_seed
from core.domain.sizing import clip_frames, clip_size, doubled_frames, is_doubled
from core.domain.styles import FilledOptions
from core.domain.visible_text import is_blank
from core.domain.words import StyleWords
from core.errors import (
    NotAChoice,
    PromptMissing,
    PromptTooLong,
)

_LINE_ENDS = re.compile("\r\n?|[\x85\u2028\u2029]")
_JOINERS = "\u200c\u200d"  # zero-width non-joiner and joiner
_KEPT = frozenset(f"\n\t{_JOINERS}")
_UNSEEN = frozenset({"Cc", "Cf", "Cs"})  # Unicode categories: control, format, surrogate


def compose(
    mode: Mode,
    options: Options,
    media: Mapping[str, MediaFile],
    limits: RequestLimits,
    filled: FilledOptions | None = None,
) -> Composition:
    """Compose the request that ``options`` and ``media`` ask for.

    Args:
        mode: a member of the table of modes.
        options: what was typed.
        media: admitted files by role.
        limits: the ranges in force.
        filled: them with what others chose, where they did; the fingerprint is of what was typed.

    Returns:
        The request, and every value that differs from what was asked.

    Raises:
        OutOfRange: a number lies outside ``limits``.
        NotAChoice: an unknown preset, aspect or camera move.
        PromptMissing: the mode needs a prompt.
        PromptTooLong: more characters than allowed.
        MediaMissing: a slot of the mode has no file.
        MediaUnexpected: a file in a role that the mode does not have.
        FilmTooLong, FilmComplete: the film that goes on would become longer than allowed.
        TimesUncounted, TimesOutOfOrder, TimesNotApart: of the pictures.
        FpsNotEven: a rate that is doubled.
        WildcardsTooMany, WildcardsTooDeep: of a text.
        WordsTooLong: with the words of the style.
    """
    spec = MODES[mode]
    _check_offered(mode, options)
    typed = options
    words = StyleWords(options.style) if options.style else None
    filled = filled or FilledOptions(options, words, ())
    options = filled.options
    check_roles(mode, media)
    film = media.get(spec.continues)
    chosen = options if film is None else as_the_film(options, film, limits)
    chosen, several = _as_drafts(chosen)
    prompt = clean(options.prompt, limits)
    if spec.prompt_required and not prompt:
        raise PromptMissing(mode)
    adjustments = [
        Adjustment(note.code, {"role": role, **note.data})
        for role, file in media.items()
        for note in file.notes
    ]
    sampling = _sampling(spec, chosen, media, limits, adjustments)
    request = make_request(mode, prompt, sampling, media)
    request = replace(request, style=filled.style, chosen_by=filled.sources)
    check_words(request, limits)
    check_film(request, limits)
    check_times(request)
    warning = beyond_model(sampling.finished, play_time(sampling.frames - 1, sampling.fps), limits)
    adjustments += [warning] if warning else []
    return Composition(
        request,
        tuple(adjustments),
        fingerprint_of(mode, typed, {role: it.sha256 for role, it in media.items()}),
        drafts=further_drafts(request) if several else (),
    )


def _as_drafts(options: Options) -> tuple[Options, bool]:
    """Return ``options`` at the draft preset where several drafts are wanted, and whether they are.

    Raises:
        NotAChoice: another number of drafts.
    """
    several = _choice(OPTIONS["drafts"], options.drafts) is Drafts.FOUR
    return (replace(options, preset=Preset.DRAFT) if several else options), several


def _sampling(
    spec: ModeSpec,
    options: Options,
    media: Mapping[str, MediaFile],
    limits: RequestLimits,
    adjustments: list[Adjustment],
) -> Sampling:
    """Choose how the clip is made; what differs from what was typed is added to the adjustments.

    Raises:
        InvalidInput: a value cannot work.
    """
    preset_word = spec.preset if options.preset is None else options.preset
    preset = Preset(_choice(OPTIONS["preset"], preset_word))
    fps = limits.default_fps if options.fps is None else options.fps
    check_range("fps", fps, limits.min_fps, most_fps(limits), "fps")
    doubled = is_doubled(fps, limits)
    seed = new_seed() if options.seed is None else options.seed
    check_range("seed", seed, 0, MAX_SEED)
    shape = media.get(spec.shape_from or "")
    size = clip_size(options, preset, shape, limits, adjustments)
    sound, film = media.get(spec.length_from or ""), media.get(spec.continues)
    if sound is not None and options.sound_from is not None:
        sound = _rest_of(sound, options.sound_from)
    elif options.sound_from is not None:
        adjustments.append(Adjustment("sound_from_idle", {}))
    sampled_fps = fps // 2 if doubled else fps
    frames = _frames(options.seconds, sampled_fps, sound, film, limits, adjustments)
    sampling = Sampling(
        preset=preset,
        width=size.width,
        height=size.height,
        frames=doubled_frames(frames) if doubled else frames,
        fps=fps,
        seed=seed,
        doubled=doubled,
        **{option.name: _kept(option, options, limits) for option in KEPT},
    )
    return replace(sampling, times=written_times(sampling.times, sampling, options.seconds))


def _frames(
    seconds: float | None,
    fps: int,
    sound: MediaFile | None,
    film: MediaFile | None,
    limits: RequestLimits,
    adjustments: list[Adjustment],
) -> int:
    """Choose the number of frames; where a film goes on, no more than it may take.

    What was typed is not cut: :func:`check_film` refuses it with what fits.

    Raises:
        FilmComplete: the film is as long as it may be.
    """
    if film is None:
        return clip_frames(seconds, fps, sound, limits, adjustments)
    left = room_for(film, limits)
    within = _within_film(left, limits) if seconds is None else limits
    frames = clip_frames(seconds, fps, sound, within, adjustments)
    return frames_within(frames, left, fps) if seconds is None or seconds <= left else frames


def _within_film(left: float, limits: RequestLimits) -> RequestLimits:
    """Return ``limits`` with at most ``left`` seconds."""
    if left >= limits.max_seconds:
        return limits
    return replace(limits, max_seconds=left, default_seconds=min(limits.default_seconds, left))


def _rest_of(sound: MediaFile, start_s: float) -> MediaFile:
    """Return ``sound`` as if it began ``start_s`` seconds later.

    Raises:
        OutOfRange: it is over by then.
    """
    check_range("sound_from", start_s, 0, sound.seconds, "s")
    return replace(sound, seconds=sound.seconds - start_s)


def clean(text: str, limits: RequestLimits) -> str:
    """Normalise ``text``; it stays literal text for ever.

    Control characters go, and so does what nobody sees but machines read: zero-width characters,
    marks that turn the direction of writing, lone surrogates. Joiners stay, as scripts and emoji
    need them, but a text of nothing that is seen is empty.

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
    return "" if is_blank(text) else text


def _check_offered(mode: Mode, options: Options) -> None:
    """Refuse what was typed for another mode.

    Raises:
        NotAChoice: the option does not exist in ``mode``.
    """
    offered = options_in(mode)
    for name, value in options.values().items():
        option = OPTIONS[name]
        if value != option.blank and option not in offered:
            raise NotAChoice("option", name, ", ".join(item.typed for item in offered))


def _kept(option: Option, options: Options, limits: RequestLimits) -> Any:  # noqa: ANN401  # of the option's type
    """Return the value of an option that goes into the request as it was typed.

    Raises:
        NotAChoice: a choice that is none.
        PromptTooLong: a text of more characters than allowed.
        OutOfRange: a number outside its range.
    """
    given = getattr(options, option.name)
    match option.kind:
        case OptionKind.TEXT:
            return clean(given, limits)
        case OptionKind.CHOICE:
            return _choice(option, given)
        case _:
            if given is not None:
                check_range(option.name, given, *option.range_in(limits), option.unit)
            return given


def _choice(option: Option, given: str | None) -> Any:  # noqa: ANN401  # the option's own type
    if given is None:
        given = option.default
    if given not in option.choices:
        raise NotAChoice(option.name, str(given)[:40], ", ".join(option.choices))
    return given if option.choice is None else option.choice(given)
